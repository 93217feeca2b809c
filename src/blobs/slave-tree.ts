import { dirname, join, resolve } from 'node:path';
import {
  link,
  listDirectory,
  makeDirectoryWith,
  removeDirectoryIfEmpty,
  removeIfThere,
  rename,
  syncDirectory,
  syncDirectoryLater,
} from '../io/directory.js';
import { type FileFacts, factsOfPath, realPath } from '../io/facts.js';
import { OpenFile } from '../io/open-file.js';
import { durableReplace, readSmallText } from '../io/replace.js';
import { PathMistake } from '../standby/paths.js';
import { LAYOUT_FILE, type Layout } from './layout.js';
import { layoutOf } from './master-tree.js';
import { NotABlob } from './mistakes.js';

const LONGEST_LAYOUT = 64;
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
  private readonly touched = new Set<string>();

  private constructor(
    readonly path: string,
    private readonly rootFacts: FileFacts,
    /** undefined: it is empty, and takes the master's layout. */
    readonly layout: Layout | undefined,
  ) {}

  /** Throws PathMistake where there is no such directory. */
  static open(given: string): SlaveTree {
    const path = realPath(resolve(given));
    const facts = path === undefined ? undefined : factsOfPath(path);
    if (path === undefined || facts?.kind !== 'directory') {
      throw new PathMistake(
        `the slave's blob directory ${given} does not exist`,
        'is its disk mounted? If it is, make the directory first',
      );
    }
    const marker = readSmallText(join(path, LAYOUT_FILE), LONGEST_LAYOUT);
    const names = marker === undefined ? listDirectory(path).filter((name) => name !== 'lost+found') : [];
    const isFresh = marker === undefined && !names.some((name) => !name.startsWith('.'));
    return new SlaveTree(path, facts, isFresh ? undefined : layoutOf(marker, names, path));
  }

  /**
   * Gives a fresh directory its layout, durably and before any blob: ZODB takes one without it for a lawn. The one that
   * another program has copied, or a killed run has written, may be in memory only.
   */
  settleLayout(layout: Layout): void {
    const path = join(this.path, LAYOUT_FILE);
    const file = OpenFile.openHereIfThere(path);
    if (!file) {
      const { uid, gid } = this.rootFacts;
      durableReplace(path, layout, { mode: LAYOUT_MODE, uid, gid });
      return;
    }
    try {
      file.sync();
    } finally {
      file.close();
    }
    syncDirectory(this.path);
  }

  get owner(): { readonly uid: number; readonly gid: number } {
    return this.rootFacts;
  }

  /** Facts of what is at a blob's place; undefined where nothing is. Throws NotABlob for anything but a file. */
  factsAt(relative: string): FileFacts | undefined {
    if (!this.isDirectoryThere(dirname(relative))) return undefined;
    const path = this.at(relative);
    const facts = factsOfPath(path);
    if (facts !== undefined && facts.kind !== 'file') throw notABlob(path, `a ${facts.kind}`);
    return facts;
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
    removeIfThere(this.unfinished(relative));
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

  /** Also what a killed run has left. */
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

  /** Gives a blob a second name in the directory beside this one that ends with .old, durably. */
  linkAside(relative: string): void {
    const { mode, uid, gid } = this.rootFacts;
    const aside = `${this.path}.old`;
    const directories = [aside];
    for (const component of dirname(relative).split('/'))
      directories.push(join(directories.at(-1) ?? aside, component));
    for (const directory of directories) {
      makeDirectoryWith(directory, { mode, uid, gid });
      if (factsOfPath(directory)?.kind !== 'directory') throw notABlob(directory, 'no directory');
    }
    const target = join(aside, relative);
    if (factsOfPath(target) === undefined) link(this.at(relative), target);
    for (const directory of directories.reverse()) syncDirectory(directory);
    syncDirectory(dirname(aside));
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
    if (this.isDirectoryThere(relative)) return;
    this.needDirectory(dirname(relative));
    const { mode, uid, gid } = this.rootFacts;
    makeDirectoryWith(this.at(relative), { mode, uid, gid });
    this.checked.add(relative);
  }
}

function notABlob(path: string, what: string): NotABlob {
  return new NotABlob(path, what, "find out who put it there, and move it out of the slave's blob directory");
}
