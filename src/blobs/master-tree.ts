import { join } from 'node:path';
import { listEntriesLater } from '../io/directory.js';
import { type FileFacts, factsBehindPath, realPathLater } from '../io/facts.js';
import { IoFault } from '../io/fault.js';
import { OpenFile } from '../io/open-file.js';
import type { ReadDeadline } from '../pipeline/read-deadline.js';
import { readSmallTextLater } from '../pipeline/small-file.js';
import { PathMistake } from '../standby/paths.js';
import { type BlobId, LAYOUT_FILE, type Layout, otherLayout, pathOf } from './layout.js';
import { LONGEST_LAYOUT, layoutOf, noLayout } from './layout-file.js';
import { BlobsUnreachable, NotABlob } from './mistakes.js';
import { walkTree } from './tree-walk.js';

/** An open file of the master's tree, where it is, and its facts. */
export interface MasterBlob {
  readonly file: OpenFile;
  readonly facts: FileFacts;
  /** Relative to the tree. */
  readonly relative: string;
}

/**
 * The master's blob directory. It is only read, and never through a link: a link on the way to a blob, or in its place,
 * is refused by name.
 */
export class MasterTree {
  private constructor(
    readonly path: string,
    /** The path without links; they may lead to the directory itself. */
    private readonly real: string,
    readonly layout: Layout,
    /** It has neither a layout nor a blob: an unmounted directory looks like this. */
    readonly isEmpty: boolean,
    private readonly deadline: ReadDeadline,
  ) {}

  static async open(path: string, deadline: ReadDeadline): Promise<MasterTree> {
    const facts = await deadline.wait(factsBehindPath(path), 'stat', path);
    if (facts === undefined) {
      throw new BlobsUnreachable(`the master's blob directory ${path} does not exist`);
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
    const names = entries.map(({ name }) => name);
    const layout = layoutOf(marker, names, path);
    const real = await deadline.wait(realPathLater(path), 'realpath', path);
    return new MasterTree(path, real ?? path, layout, marker === undefined && names.length === 0, deadline);
  }

  /** Whether this is the directory at `path`, which has no links in it. */
  isSame(path: string): boolean {
    return this.real === path;
  }

  /** Opens a blob's file, in the tree's own layout or in the other; undefined where there is neither. */
  async openBlob(id: BlobId): Promise<MasterBlob | undefined> {
    const first = pathOf(id, this.layout);
    return (await this.openAt(first)) ?? (await this.openAt(pathOf(id, otherLayout(this.layout))));
  }

  /** Facts of a blob's file without opening it; undefined where there is none. */
  async factsOfBlob(relative: string): Promise<FileFacts | undefined> {
    const path = join(this.path, relative);
    return this.deadline.wait(factsBehindPath(path), 'stat', path);
  }

  /** All blobs in the tree, those of transactions that were aborted or are not finished included. */
  async *allBlobs(): AsyncGenerator<BlobId> {
    const list = (path: string) => this.deadline.wait(listEntriesLater(path), 'readdir', path);
    for await (const entry of walkTree(this.path, list)) if (entry.kind === 'blob') yield entry.id;
  }

  async read(blob: MasterBlob, into: Uint8Array, length: number, position: number): Promise<number> {
    return this.deadline.wait(blob.file.readLater(into, length, position), 'read', blob.file.path, position);
  }

  close(blob: MasterBlob): void {
    // A thread may be stuck in a read of this descriptor; closing it could hang as well.
    if (!this.deadline.stuck) blob.file.closeQuietly();
  }

  private async openAt(relative: string): Promise<MasterBlob | undefined> {
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
      if (truth !== undefined && truth !== join(this.real, relative))
        throw notABlob(path, `reached through a link, and leads to ${truth}`);
      return { file, facts, relative };
    } catch (error) {
      if (!this.deadline.stuck) file.closeQuietly();
      throw error;
    }
  }
}

function notABlob(path: string, what: string): NotABlob {
  return new NotABlob(
    path,
    what,
    "a blob has to be a file of the master's blob directory itself; nothing was copied through it",
  );
}
