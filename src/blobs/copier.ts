import { clone } from '../io/clone.js';
import { link } from '../io/directory.js';
import { IoFault } from '../io/fault.js';
import { applyOwnership } from '../io/replace.js';
import { Interrupted, type ReadDeadline } from '../pipeline/read-deadline.js';
import { Window } from '../pipeline/window.js';
import { type BlobId, otherLayout, pathOf } from './layout.js';
import type { Copy } from './manifest.js';
import type { MasterBlob, MasterTree } from './master-tree.js';
import type { SlaveTree } from './slave-tree.js';

/** How a blob comes to the slave. Reflinks and hard links need both sides on one file system. */
export type CopyWay = 'copy' | 'reflink' | 'link';

/** What a blob of the master came to. `absent`: there is no such file. */
export type Obtained =
  | { readonly kind: 'copied' | 'linked' | 'found'; readonly copy: Exclude<Copy, 'missing'>; readonly relative: string }
  | { readonly kind: 'absent' };

const LANES = 8;
const WINDOW_BYTES = 1 << 18;
/** The owner that a squashing NFS server or an unmapped id shows. */
const NOBODY = 65_534;
/** No set-id or sticky bits, and no write permission for others. */
const COPIED_MODE = 0o775;

/**
 * Copies blobs from the master's tree to the slave's, several at a time, each through one bounded buffer.
 *
 * Write order of one blob: a temporary file beside its place; its bytes, owner, mode and time; fsync; rename. The new
 * names are durable after `SlaveTree.settle`. A file that is there already is compared byte by byte, by the hash of
 * both, and made durable if it is right.
 */
export class BlobCopier {
  private readonly windows: Window[] = [];

  constructor(
    readonly master: MasterTree,
    readonly slave: SlaveTree,
    private readonly deadline: ReadDeadline,
    private readonly way: CopyWay,
    private readonly onBytes: (bytes: number) => void,
  ) {}

  /** Calls `each` for every blob, several at a time. The first error ends all of them, once each is at rest. */
  async inLanes(blobs: Iterable<BlobId>, each: (blob: BlobId, window: Window) => Promise<void>): Promise<void> {
    const iterator = blobs[Symbol.iterator]();
    let failed = false;
    const lane = async (_: unknown, number: number): Promise<void> => {
      for (let next = iterator.next(); !next.done && !failed; next = iterator.next()) {
        if (this.deadline.signal.aborted) throw new Interrupted();
        this.windows[number] ??= new Window(WINDOW_BYTES);
        try {
          await each(next.value, this.windows[number]);
        } catch (error) {
          failed = true;
          throw error;
        }
      }
    };
    const ended = await Promise.allSettled(Array.from({ length: LANES }, lane));
    const error = ended.find((one) => one.status === 'rejected');
    if (error) throw error.reason;
  }

  /** Brings one blob to the slave. Nothing of the master is changed; what the slave had under its name is replaced. */
  async obtain(id: BlobId, window: Window): Promise<Obtained> {
    const blob = await this.master.openBlob(id);
    if (!blob) return { kind: 'absent' };
    try {
      const found = await this.compare(blob, window);
      return found ?? (await this.copy(blob, window));
    } finally {
      this.master.close(blob);
    }
  }

  /** What the slave has at this place, if it equals the master's file. */
  private async compare(blob: MasterBlob, window: Window): Promise<Obtained | undefined> {
    const { relative, facts } = blob;
    const there = this.slave.factsAt(relative);
    if (there?.size !== facts.size) return undefined;
    const file = this.slave.openToRead(relative);
    try {
      const read = (into: Uint8Array, length: number, at: number) => file.readLater(into, length, at);
      const ours = await this.hash(window, facts.size, read);
      const theirs = await this.hashOfMaster(blob, window);
      if (ours !== theirs) return undefined;
      await file.syncLater();
      this.slave.dropUnfinished(relative);
      this.slave.touch(relative);
      return { kind: 'found', copy: { length: facts.size, hash: theirs }, relative };
    } finally {
      file.closeQuietly();
    }
  }

  private async copy(blob: MasterBlob, window: Window): Promise<Obtained> {
    const { relative, facts } = blob;
    const { slave, way } = this;
    if (way !== 'copy') return this.link(blob, window);
    const file = slave.createUnfinished(relative);
    try {
      const hash = await this.hashOfMaster(blob, window, (bytes, position) => file.write(bytes, position));
      const { owner } = slave;
      applyOwnership(file, {
        mode: facts.mode & COPIED_MODE,
        uid: facts.uid === NOBODY ? owner.uid : facts.uid,
        gid: facts.gid === NOBODY ? owner.gid : facts.gid,
      });
      file.setModified(facts.mtime);
      await file.syncLater();
      slave.finish(relative);
      slave.touch(relative);
      return { kind: 'copied', copy: { length: facts.size, hash }, relative };
    } catch (error) {
      slave.dropUnfinished(relative);
      throw error;
    } finally {
      file.close();
    }
  }

  /** Shares the master's bytes on the disk. They are read once all the same, for their hash. */
  private async link(blob: MasterBlob, window: Window): Promise<Obtained> {
    const { relative, facts, file } = blob;
    const { slave, way } = this;
    const hash = await this.hashOfMaster(blob, window);
    slave.prepareUnfinished(relative);
    if (way === 'reflink') await clone(file.path, slave.unfinished(relative));
    else link(file.path, slave.unfinished(relative));
    const linked = slave.openUnfinished(relative);
    try {
      if (way === 'reflink') {
        applyOwnership(linked, { mode: facts.mode & COPIED_MODE, uid: facts.uid, gid: facts.gid });
        linked.setModified(facts.mtime);
      }
      await linked.syncLater();
      slave.finish(relative);
      slave.touch(relative);
      return { kind: 'linked', copy: { length: facts.size, hash }, relative };
    } catch (error) {
      slave.dropUnfinished(relative);
      throw error;
    } finally {
      linked.closeQuietly();
    }
  }

  /** What the slave has of a blob, in either layout; undefined where it has nothing. It is made durable. */
  async hashOfSlave(id: BlobId, window: Window): Promise<Exclude<Copy, 'missing'> | undefined> {
    for (const layout of [this.master.layout, otherLayout(this.master.layout)]) {
      const relative = pathOf(id, layout);
      const facts = this.slave.factsAt(relative);
      if (!facts) continue;
      const file = this.slave.openToRead(relative);
      try {
        const hash = await this.hash(window, facts.size, (into, length, at) => file.readLater(into, length, at));
        await file.syncLater();
        this.slave.touch(relative);
        return { length: facts.size, hash };
      } finally {
        file.closeQuietly();
      }
    }
    return undefined;
  }

  private hashOfMaster(
    blob: MasterBlob,
    window: Window,
    take?: (bytes: Uint8Array, position: number) => void,
  ): Promise<bigint> {
    const read = async (into: Uint8Array, length: number, at: number): Promise<number> => {
      const count = await this.master.read(blob, into, length, at);
      if (count < length) {
        const detail = `it ends at ${at + count}, and had ${blob.facts.size} bytes when it was opened`;
        throw new IoFault('read', blob.file.path, 'ESHORT', detail, at + count);
      }
      this.onBytes(count);
      return count;
    };
    return this.hash(window, blob.facts.size, read, take);
  }

  private async hash(
    window: Window,
    size: number,
    read: (into: Uint8Array, length: number, at: number) => Promise<number>,
    take?: (bytes: Uint8Array, position: number) => void,
  ): Promise<bigint> {
    window.reset();
    for (let position = 0; position < size; ) {
      if (this.deadline.signal.aborted) throw new Interrupted();
      const count = await read(window.bytes, Math.min(window.size, size - position), position);
      if (count === 0) break;
      window.add(0, count);
      take?.(window.bytes.subarray(0, count), position);
      position += count;
    }
    return BigInt(`0x${window.digest()}`);
  }
}
