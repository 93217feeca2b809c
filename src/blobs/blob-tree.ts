import { join } from 'node:path';
import { listEntriesLater } from '../io/directory.js';
import { type FileFacts, factsBehindPath, realPathLater } from '../io/facts.js';
import { IoFault } from '../io/fault.js';
import { OpenFile } from '../io/open-file.js';
import type { ReadDeadline } from '../pipeline/read-deadline.js';
import { readSmallTextLater } from '../pipeline/small-file.js';
import type { Window } from '../pipeline/window.js';
import { PathMistake } from '../standby/paths.js';
import { BlobSet } from './blob-set.js';
import { hashOfFile } from './hash-of-file.js';
import { type BlobId, LAYOUT_FILE, type Layout, otherLayout, pathOf } from './layout.js';
import { LONGEST_LAYOUT, layoutOf, layoutSeen, noLayout } from './layout-file.js';
import type { Manifest } from './manifest.js';
import { BlobsUnreachable, NotABlob } from './mistakes.js';
import { type TreeEntry, walkTree } from './tree-walk.js';

/** An open file of the tree, where it is, and its facts. */
export interface OpenBlob {
  readonly file: OpenFile;
  readonly facts: FileFacts;
  /** Relative to the tree: where it is, and where ZODB looks for it. They differ for a file in the other layout. */
  readonly relative: string;
  readonly place: string;
}

interface HashOptions {
  readonly length?: number;
  readonly take?: (bytes: Uint8Array, position: number) => void;
}

/**
 * A blob directory that is only read: the master's, whose mount may hang, or one to verify. Never through a link: a link
 * on the way to a blob, or in its place, is refused by name.
 */
export class BlobTree {
  private constructor(
    readonly path: string,
    /** The path without links; they may lead to the directory itself. */
    private readonly real: string,
    private readonly facts: Pick<FileFacts, 'device' | 'inode'>,
    readonly layout: Layout,
    /** It has no file .layout: a server that is started takes it for a lawn. */
    readonly isUnmarked: boolean,
    /** It has neither a layout nor a blob: an unmounted directory looks like this. */
    readonly isEmpty: boolean,
    private readonly deadline: ReadDeadline,
  ) {}

  static async open(path: string, deadline: ReadDeadline): Promise<BlobTree> {
    const facts = await deadline.wait(factsBehindPath(path), 'stat', path);
    if (facts === undefined) {
      throw new BlobsUnreachable(`the blob directory ${path} does not exist`);
    }
    if (facts.kind !== 'directory') {
      throw new PathMistake(
        `the master's blob directory ${path} is a ${facts.kind}`,
        'name the directory of the blobs',
      );
    }
    const marker = await readSmallTextLater(join(path, LAYOUT_FILE), LONGEST_LAYOUT, deadline);
    if (typeof marker === 'object') throw marker.fault ?? noLayout(path, marker.problem);
    const entries = marker === undefined ? await deadline.wait(listEntriesLater(path), 'readdir', path) : [];
    const isEmpty = marker === undefined && entries.length === 0;
    const list = (directory: string) => deadline.wait(listEntriesLater(directory), 'readdir', directory);
    const layout = marker === undefined ? ((await layoutSeen(path, list)) ?? 'bushy') : layoutOf(marker, path);
    const real = await deadline.wait(realPathLater(path), 'realpath', path);
    return new BlobTree(path, real ?? path, facts, layout, marker === undefined, isEmpty, deadline);
  }

  /** Whether a directory with these facts is this one, by whatever path: links and bind mounts lead to it as well. */
  isSame({ device, inode }: FileFacts): boolean {
    return this.facts.device === device && this.facts.inode === inode;
  }

  /** Whether this is the directory at `path`, which has no links in it. */
  isAt(path: string): boolean {
    return this.real === path;
  }

  /** Whether one of this directory and the one at `path`, which has no links in it, lies in the other. */
  isNested(path: string): boolean {
    return `${path}/`.startsWith(`${this.real}/`) || `${this.real}/`.startsWith(`${path}/`);
  }

  /**
   * Throws BlobsUnreachable where another directory than the one that was opened is at the path, or none: its mount may
   * have gone. What was not found in it since then proves nothing.
   */
  async assertStillThere(): Promise<void> {
    const now = await this.deadline.wait(factsBehindPath(this.path), 'stat', this.path);
    if (now && this.isSame(now)) return;
    const state = now ? 'is another one than when this run began' : 'has gone while it was read';
    throw new BlobsUnreachable(`the master's blob directory ${this.path} ${state}`);
  }

  /** Opens a blob's file, in the tree's own layout or in the other; undefined where there is neither. */
  async openBlob(id: BlobId): Promise<OpenBlob | undefined> {
    const place = pathOf(id, this.layout);
    const found = (await this.openAt(place)) ?? (await this.openAt(pathOf(id, otherLayout(this.layout))));
    return found && { ...found, place };
  }

  /** Facts of a blob's file without opening it; undefined where there is none. */
  async factsOfBlob(relative: string): Promise<FileFacts | undefined> {
    const path = join(this.path, relative);
    return this.deadline.wait(factsBehindPath(path), 'stat', path);
  }

  /** All entries of the tree; its blobs include those of transactions that were aborted or are not finished. */
  entries(): AsyncGenerator<TreeEntry> {
    return walkTree(this.path, (path) => this.deadline.wait(listEntriesLater(path), 'readdir', path));
  }

  /**
   * XXH64 of a blob's first `length` bytes, by default of all that it had when it was opened. `take` receives them as
   * they are read. Throws ESHORT where it has become shorter.
   */
  hash(blob: OpenBlob, window: Window, { length, take }: HashOptions = {}): Promise<bigint> {
    const { file, facts } = blob;
    const read = async (into: Uint8Array, wanted: number, at: number): Promise<number> => {
      const count = await this.deadline.wait(file.readLater(into, wanted, at), 'read', file.path, at);
      if (count === wanted) return count;
      const detail = `it ends at ${at + count}, and had ${facts.size} bytes when it was opened`;
      throw new IoFault('read', file.path, 'ESHORT', detail, at + count);
    };
    return hashOfFile(length ?? facts.size, window, this.deadline, read, take);
  }

  /** The blobs in the tree up to `tid` that a manifest does not have. */
  async blobsUpTo(tid: bigint, known: Manifest | undefined): Promise<BlobSet> {
    if (this.isEmpty) throw new BlobsUnreachable(`the blob directory ${this.path} is empty`);
    const ids = new BlobSet();
    for await (const entry of this.entries()) {
      if (entry.kind === 'blob' && entry.id.tid <= tid && known?.get(entry.id) === undefined) ids.addId(entry.id);
    }
    await this.assertStillThere();
    return ids;
  }

  close(blob: OpenBlob): void {
    blob.file.closeWhenIdle();
  }

  private async openAt(relative: string): Promise<Omit<OpenBlob, 'place'> | undefined> {
    const path = join(this.path, relative);
    let file: OpenFile;
    try {
      file = await this.deadline.wait(OpenFile.openToReadHere(path), 'open', path);
    } catch (error) {
      if (!(error instanceof IoFault)) throw error;
      if (error.code === 'ELOOP') throw notABlob(path, 'a symbolic link');
      // ENXIO: a socket; a pipe opens, because nobody waits for its writer.
      if (error.code === 'ENXIO') throw notABlob(path, 'a special file');
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
      throw error;
    }
    try {
      const facts = await this.deadline.wait(file.factsLater(), 'fstat', path);
      if (facts.kind !== 'file') throw notABlob(path, `a ${facts.kind}`);
      const truth = file.truePath();
      const place = join(this.real, relative);
      // A pack may have removed it since it was opened: the system marks its path so.
      const isInPlace = truth === undefined || truth === place || truth === `${place} (deleted)`;
      if (isInPlace) return { file, facts, relative };
      // The pack may as well have moved it, or somebody the directory, since it was opened: then it is not there any more.
      const now = await this.deadline.wait(factsBehindPath(path), 'stat', path);
      if (now?.inode === facts.inode && now.device === facts.device)
        throw notABlob(path, `reached through a link, and leads to ${truth}`);
      file.closeQuietly();
      return undefined;
    } catch (error) {
      file.closeWhenIdle();
      throw error;
    }
  }
}

function notABlob(path: string, what: string): NotABlob {
  return new NotABlob(path, what, 'a blob has to be a file of the blob directory itself; nothing was read through it');
}
