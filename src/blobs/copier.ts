import { clone } from '../io/clone.js';
import { link } from '../io/directory.js';
import { IoFault } from '../io/fault.js';
import type { OpenFile } from '../io/open-file.js';
import { copiedOwnership } from '../io/ownership.js';
import { applyOwnership } from '../io/replace.js';
import type { ReadDeadline } from '../pipeline/read-deadline.js';
import type { Window } from '../pipeline/window.js';
import { PathMistake } from '../standby/paths.js';
import type { BlobTree, OpenBlob } from './blob-tree.js';
import { hashOfFile } from './hash-of-file.js';
import { type BlobId, pathOf } from './layout.js';
import type { Copy } from './manifest.js';
import type { SlaveTree } from './slave-tree.js';

/** How a blob comes to the slave. Reflinks and hard links need both sides on one file system. */
export type CopyWay = 'copy' | 'reflink' | 'link';

/** What a blob of the master came to. `absent`: there is no such file. */
export type Obtained =
  | { readonly kind: 'copied' | 'linked' | 'found'; readonly copy: Exclude<Copy, 'missing'> }
  | { readonly kind: 'absent' };

/** The file system, or the two of them, cannot do it. No copy is made in the place of what was asked for. */
const NOT_SHARED: ReadonlySet<string> = new Set(
  'EXDEV ENOTSUP EOPNOTSUPP ENOSYS ENOTTY EINVAL EPERM EMLINK'.split(' '),
);
const SHARED_HINT =
  'link and reflink need both blob directories on one file system that can do it; --blobs-as copy works everywhere';

/**
 * Copies blobs from the master's tree to the slave's, several at a time, each through one bounded buffer.
 *
 * Write order of one blob: a temporary file beside its place; its bytes, owner, mode and time; fsync; rename. The new
 * names are durable after `SlaveTree.settle`. A file that is there already is compared byte by byte, by the hash of
 * both, and made durable if it is right.
 */
export class BlobCopier {
  /** Files of the master that lie in the other layout, where ZODB does not look for them. */
  misplaced = 0;

  constructor(
    readonly master: BlobTree,
    readonly slave: SlaveTree,
    private readonly deadline: ReadDeadline,
    private readonly way: CopyWay,
    private readonly onBytes: (bytes: number) => void,
    /** Called with the path under which a file of the slave was kept that is replaced. */
    private readonly onReplaced: (path: string) => void,
  ) {}

  /** Brings one blob to the slave. Nothing of the master is changed; what the slave had under its name is replaced. */
  async obtain(id: BlobId, window: Window): Promise<Obtained> {
    const blob = await this.master.openBlob(id);
    if (!blob) return { kind: 'absent' };
    try {
      if (blob.relative !== blob.place) this.misplaced++;
      const found = await this.compare(blob, window);
      return found ?? (await this.copy(blob, window));
    } finally {
      this.master.close(blob);
    }
  }

  /**
   * What the slave has at this place, if it equals the master's file. A file that is neither that nor the beginning of it
   * may be all that is left of another history: it is kept under another name.
   */
  private async compare(blob: OpenBlob, window: Window): Promise<Obtained | undefined> {
    const { place: relative, facts } = blob;
    const there = this.slave.factsAt(relative);
    if (!there) return undefined;
    const file = this.slave.openToRead(relative);
    try {
      const length = Math.min(there.size, facts.size);
      const theirs = await this.master.hash(blob, window, { length });
      const isSame = there.size <= facts.size && (await this.hashOfOurs(file, there.size, window)) === theirs;
      if (!isSame) this.onReplaced(this.slave.keepReplaced(relative));
      if (!isSame || there.size !== facts.size) return undefined;
      await file.syncLater();
      this.slave.dropUnfinished(relative);
      this.slave.touch(relative);
      return { kind: 'found', copy: { length, hash: theirs } };
    } finally {
      file.closeQuietly();
    }
  }

  /**
   * Copies a blob again, but only if the master has the bytes that were copied. Returns whether the slave has them now.
   */
  async restore(id: BlobId, copy: Exclude<Copy, 'missing'>, window: Window): Promise<boolean> {
    const blob = await this.master.openBlob(id);
    if (!blob) return false;
    try {
      if (blob.facts.size !== copy.length || (await this.hashOfMaster(blob, window)) !== copy.hash) return false;
      const again = await this.copyBytes(blob, window);
      return again.kind !== 'absent' && again.copy.hash === copy.hash;
    } finally {
      this.master.close(blob);
    }
  }

  private copy(blob: OpenBlob, window: Window): Promise<Obtained> {
    return this.way === 'copy' ? this.copyBytes(blob, window) : this.link(blob, window);
  }

  private async copyBytes(blob: OpenBlob, window: Window): Promise<Obtained> {
    const { place: relative, facts } = blob;
    const { slave } = this;
    const file = slave.createUnfinished(relative);
    try {
      const hash = await this.hashOfMaster(blob, window, (bytes, position) => file.write(bytes, position));
      applyOwnership(file, copiedOwnership(facts, slave.owner));
      file.setModified(facts.mtime);
      await file.syncLater();
      slave.finish(relative);
      slave.touch(relative);
      return { kind: 'copied', copy: { length: facts.size, hash } };
    } catch (error) {
      slave.dropUnfinished(relative);
      throw error;
    } finally {
      file.close();
    }
  }

  /** Shares the master's bytes on the disk. They are read once all the same, for their hash. */
  private async link(blob: OpenBlob, window: Window): Promise<Obtained> {
    const { place: relative, facts, file } = blob;
    const { slave, way } = this;
    const hash = await this.hashOfMaster(blob, window);
    slave.prepareUnfinished(relative);
    try {
      if (way === 'reflink') await clone(file.path, slave.unfinished(relative));
      else link(file.path, slave.unfinished(relative));
    } catch (error) {
      throw error instanceof IoFault && NOT_SHARED.has(error.code)
        ? new PathMistake(error.message, SHARED_HINT)
        : error;
    }
    const linked = slave.openUnfinished(relative);
    try {
      if (way === 'reflink') {
        applyOwnership(linked, copiedOwnership(facts, slave.owner));
        linked.setModified(facts.mtime);
      }
      await linked.syncLater();
      slave.finish(relative);
      slave.touch(relative);
      return { kind: 'linked', copy: { length: facts.size, hash } };
    } catch (error) {
      slave.dropUnfinished(relative);
      throw error;
    } finally {
      linked.closeQuietly();
    }
  }

  /** What the slave has of a blob; undefined where it has nothing. It is made durable. */
  async hashOfSlave(id: BlobId, window: Window): Promise<Exclude<Copy, 'missing'> | undefined> {
    const relative = pathOf(id, this.master.layout);
    const facts = this.slave.factsAt(relative);
    if (!facts) return undefined;
    const file = this.slave.openToRead(relative);
    try {
      const hash = await this.hashOfOurs(file, facts.size, window);
      await file.syncLater();
      this.slave.touch(relative);
      return { length: facts.size, hash };
    } finally {
      file.closeQuietly();
    }
  }

  private hashOfMaster(
    blob: OpenBlob,
    window: Window,
    take?: (bytes: Uint8Array, position: number) => void,
  ): Promise<bigint> {
    const count = (bytes: Uint8Array, position: number): void => {
      this.onBytes(bytes.length);
      take?.(bytes, position);
    };
    return this.master.hash(blob, window, { take: count });
  }

  private hashOfOurs(file: OpenFile, size: number, window: Window): Promise<bigint> {
    return hashOfFile(size, window, this.deadline, (into, length, at) => file.readLater(into, length, at));
  }
}
