import { dirname, join, resolve } from 'node:path';
import {
  listEntriesLater,
  makeDirectoryWith,
  ownEmptyDirectory,
  removeDirectoryIfEmpty,
  removeIfThere,
  rename,
  syncDirectory,
  syncDirectoryLater,
} from '../io/directory.js';
import { type FileFacts, factsOfPath, realPath } from '../io/facts.js';
import { OpenFile } from '../io/open-file.js';
import { durableReplace } from '../io/replace.js';
import type { Window } from '../pipeline/window.js';
import { PathMistake } from '../standby/paths.js';
import { keepReplaced, linkAside } from './aside.js';
import { type BlobId, LAYOUT_FILE, type Layout, pathOf } from './layout.js';
import { layoutOf, layoutSeen, readLayout } from './layout-file.js';
import { NotABlob } from './mistakes.js';

/** Ends the name of a copy that is not complete. ZODB looks at names that end with .blob only. */
const UNFINISHED = '.syncpozo-tmp';
const SYNCS_AT_ONCE = 4;
const LAYOUT_MODE = 0o644;

/**
 * The slave's blob directory.
 *
 * Invariants:
 *  - Nothing is written, removed or read through a link inside of it: every directory on the way is checked to be one,
 *    once a run. The directory itself may be given through links.
 *  - A blob's final name leads to complete, durable contents, as soon as it exists. The name itself is durable after
 *    `settle`, which syncs every directory on the way to what was touched: a killed run may have left one in memory only.
 */
export class SlaveTree {
  private readonly checked = new Set<string>();
  private readonly needed = new Set<string>();
  private readonly touched = new Set<string>();

  private constructor(
    readonly path: string,
    /** Of the directory itself. */
    readonly facts: FileFacts,
    /** undefined: it says none, and takes the master's. */
    private ownLayout: Layout | undefined,
  ) {}

  /** Throws PathMistake where there is no such directory. */
  static open(given: string): SlaveTree {
    const path = realPath(resolve(given));
    const facts = path === undefined ? undefined : factsOfPath(path);
    if (path === undefined || facts === undefined) {
      throw new PathMistake(
        `the slave's blob directory ${given} does not exist`,
        'is its disk mounted? If it is, make the directory first',
      );
    }
    if (facts.kind !== 'directory') {
      throw new PathMistake(`the slave's blob directory ${given} is a ${facts.kind}`, 'name another directory');
    }
    const marker = readLayout(path);
    return new SlaveTree(path, facts, marker === undefined ? undefined : layoutOf(marker, path));
  }

  /** The layout in which its blobs lie; undefined where there are none. */
  layoutSeen(): Promise<Layout | undefined> {
    return layoutSeen(this.path, listEntriesLater);
  }

  /**
   * Gives a fresh directory its layout, durably and before any blob: ZODB takes one without it for a lawn. The one that
   * another program has copied, or a killed run has written, may be in memory only.
   */
  settleLayout(layout: Layout): void {
    const path = join(this.path, LAYOUT_FILE);
    const { uid, gid } = this.facts;
    if (this.ownLayout === undefined) {
      this.ownLayout = layout;
      return durableReplace(path, layout, { mode: LAYOUT_MODE, uid, gid });
    }
    const file = OpenFile.openHere(path);
    try {
      file.sync();
    } finally {
      file.close();
    }
    syncDirectory(this.path);
  }

  get layout(): Layout | undefined {
    return this.ownLayout;
  }

  /** It has no blob yet: it takes the master's layout after all. */
  forgetLayout(): void {
    this.ownLayout = undefined;
  }

  get owner(): { readonly uid: number; readonly gid: number } {
    return this.facts;
  }

  /** Facts of what is at a blob's place; undefined where nothing is. Throws NotABlob for anything but a file. */
  factsAt(relative: string): FileFacts | undefined {
    if (!this.isDirectoryThere(dirname(relative))) return undefined;
    const path = this.at(relative);
    const facts = factsOfPath(path);
    if (facts !== undefined && facts.kind !== 'file') throw notABlob(path, `a ${facts.kind}`);
    return facts;
  }

  /** A blob's file; undefined where there is none. */
  find(id: BlobId): { readonly relative: string; readonly size: number } | undefined {
    const relative = pathOf(id, this.layout ?? 'bushy');
    const facts = this.factsAt(relative);
    return facts && { relative, size: facts.size };
  }

  /** XXH64 of a blob's file, read at once. */
  hash(relative: string, window: Window): bigint {
    const file = this.openToRead(relative);
    try {
      window.reset();
      for (let position = 0; ; ) {
        const count = file.read(window.bytes, window.size, position);
        if (count === 0) return BigInt(`0x${window.digest()}`);
        window.add(0, count);
        position += count;
      }
    } finally {
      file.closeQuietly();
    }
  }

  openToRead(relative: string): OpenFile {
    return OpenFile.openHere(this.at(relative));
  }

  createUnfinished(relative: string): OpenFile {
    this.prepareUnfinished(relative);
    return OpenFile.createNew(this.unfinished(relative));
  }

  /** Makes room for a copy: its directory, without the remains of an earlier copy. */
  prepareUnfinished(relative: string): void {
    this.needDirectory(dirname(relative));
    const path = this.unfinished(relative);
    try {
      removeIfThere(path);
    } catch (error) {
      throw factsOfPath(path)?.kind === 'directory' ? notABlob(path, 'a directory') : error;
    }
  }

  openUnfinished(relative: string): OpenFile {
    return OpenFile.openHere(this.unfinished(relative));
  }

  unfinished(relative: string): string {
    return this.at(relative) + UNFINISHED;
  }

  /** Gives a complete copy its name. Its contents are durable by now. */
  finish(relative: string): void {
    rename(this.unfinished(relative), this.at(relative));
  }

  /** Gives a file that is about to be replaced another name as well, which `settle` makes durable. Returns its path. */
  keepReplaced(relative: string): string {
    this.touch(relative);
    return keepReplaced(this.at(relative));
  }

  /** Gives a blob a second name in the directory beside this one that ends with .old, durably. */
  linkAside(relative: string): void {
    linkAside(this.path, relative, this.facts);
  }

  dropUnfinished(relative: string): void {
    removeIfThere(this.unfinished(relative));
  }

  /** `settle` has to make the name at this place durable. */
  touch(relative: string): void {
    for (let directory = dirname(relative); ; directory = dirname(directory)) {
      this.touched.add(directory);
      if (directory === '.') return;
    }
  }

  /** Makes all names durable that were touched since the last call. */
  async settle(): Promise<void> {
    const directories = [...this.touched];
    this.touched.clear();
    const lane = async (): Promise<void> => {
      for (let next = directories.pop(); next !== undefined; next = directories.pop())
        await syncDirectoryLater(this.at(next));
    };
    await Promise.all(Array.from({ length: SYNCS_AT_ONCE }, lane));
  }

  /**
   * Removes a blob's file, and the directories that become empty. `settle` makes durable that it is not there. Returns
   * whether there was one.
   */
  remove(relative: string): boolean {
    const wasThere = removeIfThere(this.at(relative));
    let directory = dirname(relative);
    while (!this.isDirectoryThere(directory) || (directory !== '.' && removeDirectoryIfEmpty(this.at(directory)))) {
      this.checked.delete(directory);
      this.touched.delete(directory);
      directory = dirname(directory);
    }
    this.touched.add(directory);
    return wasThere;
  }

  private at(relative: string): string {
    return join(this.path, relative);
  }

  /** Whether a directory exists. Throws NotABlob for a link, or anything else, on the way. */
  private isDirectoryThere(relative: string): boolean {
    if (relative === '.' || this.checked.has(relative)) return true;
    if (!this.isDirectoryThere(dirname(relative))) return false;
    const path = this.at(relative);
    const facts = factsOfPath(path);
    if (facts === undefined) return false;
    if (facts.kind !== 'directory') throw notABlob(path, `a ${facts.kind}, where a directory of blobs should be`);
    this.checked.add(relative);
    return true;
  }

  private needDirectory(relative: string): void {
    if (relative === '.' || (this.needed.has(relative) && this.checked.has(relative))) return;
    this.needDirectory(dirname(relative));
    if (this.isDirectoryThere(relative)) ownEmptyDirectory(this.at(relative), this.facts);
    else makeDirectoryWith(this.at(relative), this.facts);
    for (const directories of [this.checked, this.needed]) directories.add(relative);
  }
}

function notABlob(path: string, what: string): NotABlob {
  return new NotABlob(path, what, "find out who put it there, and move it out of the slave's blob directory");
}
