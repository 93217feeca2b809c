import fs from 'node:fs';
import { type FileFacts, factsOfDescriptor, factsOfDescriptorLater } from './facts.js';
import { attempt, IoFault } from './fault.js';
import { notice, noticeBegin } from './observer.js';
import { readLinkOrNothing } from './proc.js';

/**
 * One open file: positioned reads and writes that complete or fail.
 *
 * Invariants:
 *  - A read returns fewer bytes than requested only at the end of the file. A write is complete or throws a fault.
 *  - A failed sync poisons the file: every later write and sync throws. The kernel may have dropped the pages that it
 *    could not write, and a second fsync would report success.
 *  - A failed write (a full disk) blocks every later write. Truncating back to the earlier length still works.
 */
export class OpenFile {
  private poison: IoFault | undefined;
  private closed = false;
  /** Calls of this file that run in the thread pool. */
  private underWay = 0;
  private closesWhenIdle = false;

  private constructor(
    readonly path: string,
    readonly fd: number,
  ) {}

  /** Opens the master for reading, in the thread pool. Follows links; does not wait for a named pipe's writer. */
  static openToRead(path: string): Promise<OpenFile> {
    return OpenFile.openLater(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
  }

  /** As openToRead, but refuses a symbolic link as the last component (ELOOP). */
  static openToReadHere(path: string): Promise<OpenFile> {
    return OpenFile.openLater(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK | fs.constants.O_NOFOLLOW);
  }

  private static async openLater(path: string, flags: number): Promise<OpenFile> {
    const fd = await new Promise<number>((resolve, reject) => {
      fs.open(path, flags, (error, opened) => {
        if (error) reject(IoFault.from(error, 'open', path));
        else resolve(opened);
      });
    });
    return new OpenFile(path, fd);
  }

  /** Opens a file of the slave's side for reading. Refuses a symbolic link (ELOOP); does not wait on a named pipe. */
  static openHere(path: string): OpenFile {
    return OpenFile.open(path, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK);
  }

  /** As openHere; undefined when nothing exists at the path. */
  static openHereIfThere(path: string): OpenFile | undefined {
    try {
      return OpenFile.openHere(path);
    } catch (error) {
      if (error instanceof IoFault && error.code === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** Opens for reading and follows links. For worker threads only, which may block. */
  static openSync(path: string): OpenFile {
    return OpenFile.open(path, fs.constants.O_RDONLY);
  }

  /** Opens an existing file for reading and writing; refuses a symbolic link (ELOOP). */
  static openToWrite(path: string): OpenFile {
    return OpenFile.open(path, fs.constants.O_RDWR | fs.constants.O_NOFOLLOW);
  }

  /** Creates a file, by default accessible to its owner only; fails when anything exists at the path. */
  static createNew(path: string, mode = 0o600): OpenFile {
    const { O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW } = fs.constants;
    const file = OpenFile.open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
    notice(() => ({ kind: 'create', path, inode: file.facts().inode }));
    return file;
  }

  private static open(path: string, flags: number, mode?: number): OpenFile {
    return new OpenFile(
      path,
      attempt('open', path, () => fs.openSync(path, flags, mode)),
    );
  }

  facts(): FileFacts {
    return factsOfDescriptor(this.fd, this.path);
  }

  /** As facts, in the thread pool. */
  factsLater(): Promise<FileFacts> {
    return this.counted(factsOfDescriptorLater(this.fd, this.path));
  }

  /** Reads up to `length` bytes at `position` into `into` from its offset 0; fewer only at the end of the file. */
  read(into: Uint8Array, length: number, position: number): number {
    let done = 0;
    while (done < length) {
      const at = position + done;
      const count = attempt('read', this.path, () => fs.readSync(this.fd, into, done, length - done, at), at);
      if (count === 0) break;
      done += count;
    }
    return done;
  }

  /** As read, but in the thread pool: the main thread stays free to enforce the read timeout. */
  readLater(into: Uint8Array, length: number, position: number): Promise<number> {
    return this.counted(this.readInPool(into, length, position));
  }

  private async readInPool(into: Uint8Array, length: number, position: number): Promise<number> {
    let done = 0;
    while (done < length) {
      const at = position + done;
      const count = await new Promise<number>((resolve, reject) => {
        fs.read(this.fd, into, done, length - done, at, (error, bytes) => {
          if (error) reject(IoFault.from(error, 'read', this.path, at));
          else resolve(bytes);
        });
      });
      if (count === 0) break;
      done += count;
    }
    return done;
  }

  /** Writes all of `bytes` at `position`. */
  write(bytes: Uint8Array, position: number): void {
    this.change('write', position, () => {
      let done = 0;
      while (done < bytes.length) {
        const count = fs.writeSync(this.fd, bytes, done, bytes.length - done, position + done);
        if (count === 0)
          throw new IoFault('write', this.path, 'ESHORT', 'the file takes no more bytes', position + done);
        done += count;
      }
    });
    notice(() => ({ kind: 'write', ...this.named(), position, bytes: bytes.slice() }));
  }

  /** Truncates the file to `size` bytes, or extends it with zeros. */
  truncate(size: number): void {
    this.change('truncate', size, () => fs.ftruncateSync(this.fd, size));
    notice(() => ({ kind: 'truncate', ...this.named(), size }));
  }

  /** Makes data and all metadata durable. */
  sync(): void {
    this.change('fsync', undefined, () => fs.fsyncSync(this.fd));
    notice(() => ({ kind: 'sync', ...this.named(), what: 'all' }));
  }

  /** Makes data durable, and the size. */
  syncData(): void {
    this.change('fdatasync', undefined, () => fs.fdatasyncSync(this.fd));
    notice(() => ({ kind: 'sync', ...this.named(), what: 'data' }));
  }

  /** As sync, but in the thread pool: several files are made durable at once. */
  async syncLater(): Promise<void> {
    if (this.poison) throw new IoFault('fsync', this.path, 'EPOISONED', `not tried after "${this.poison.message}"`);
    const done = noticeBegin(() => ({ kind: 'sync', ...this.named(), what: 'all' }));
    await new Promise<void>((resolve, reject) => {
      fs.fsync(this.fd, (error) => {
        if (!error) return resolve();
        this.poison = IoFault.from(error, 'fsync', this.path);
        reject(this.poison);
      });
    });
    done();
  }

  /** The path of the file that is open, without symbolic links; undefined where the system does not show it. */
  truePath(): string | undefined {
    return readLinkOrNothing(`/proc/self/fd/${this.fd}`);
  }

  /** Sets the time of the last modification, in nanoseconds since the epoch; exact to about a microsecond. */
  setModified(nanoseconds: string): void {
    const seconds = Number(BigInt(nanoseconds) / 1000n) / 1e6;
    this.change('utimes', undefined, () => fs.futimesSync(this.fd, seconds, seconds));
    notice(() => ({ kind: 'attributes', ...this.named(), modified: nanoseconds }));
  }

  setMode(mode: number): void {
    this.change('chmod', undefined, () => fs.fchmodSync(this.fd, mode));
    notice(() => ({ kind: 'attributes', ...this.named() }));
  }

  setOwner(uid: number, gid: number): void {
    this.change('chown', undefined, () => fs.fchownSync(this.fd, uid, gid));
    notice(() => ({ kind: 'attributes', ...this.named() }));
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    attempt('close', this.path, () => fs.closeSync(this.fd));
  }

  /** Closes a file that was only read. A fault of close does not affect the bytes already read, so it is ignored. */
  closeQuietly(): void {
    try {
      this.close();
    } catch (error) {
      if (!(error instanceof IoFault)) throw error;
    }
  }

  /**
   * Closes a file of the master, which was only read, as soon as no call of it is under way. A read may hang, and its
   * descriptor must not be closed under it. Runs in the thread pool, because close may hang as well.
   */
  closeWhenIdle(): void {
    this.closesWhenIdle = true;
    if (this.closed || this.underWay > 0) return;
    this.closed = true;
    fs.close(this.fd, () => {});
  }

  private async counted<T>(call: Promise<T>): Promise<T> {
    this.underWay++;
    try {
      return await call;
    } finally {
      this.underWay--;
      if (this.closesWhenIdle) this.closeWhenIdle();
    }
  }

  private named(): { readonly path: string; readonly inode: string } {
    return { path: this.path, inode: this.facts().inode };
  }

  private change(operation: string, position: number | undefined, action: () => void): void {
    const truncatesBack = operation !== 'write' && this.poison?.operation === 'write';
    if (this.poison && !truncatesBack) {
      throw new IoFault(operation, this.path, 'EPOISONED', `not tried after "${this.poison.message}"`, position);
    }
    try {
      attempt(operation, this.path, action, position);
    } catch (error) {
      this.poison = IoFault.from(error, operation, this.path, position);
      throw this.poison;
    }
  }
}
