import { basename, dirname, join } from 'node:path';
import { AROUND, type FileId, type NameChange, SLAVE } from './change.js';

/** Files by name: of one directory, or of all by path relative to the slave's directory. */
export type Names = ReadonlyMap<string, FileId>;
/** Directories by path, without the slave's own and the one around it. */
export type Directories = ReadonlyMap<string, FileId>;
/** The entries of each directory, whether a path leads to it or not. */
export type Tree = ReadonlyMap<FileId, Names>;

/** What paths lead to. */
export interface Visible {
  readonly names: Names;
  /** Missing where there is no directory but the slave's. */
  readonly directories?: Directories;
}

/** The directory around the slave's, as a path relative to it. */
export const AROUND_PATH = '..';

/** Follows the paths from the slave's directory and the one around it: a file in a directory whose name is lost is lost. */
export function visibleIn(tree: Tree): Visible {
  const slave = tree.get(SLAVE) ?? new Map();
  if (tree.size === 1) return { names: slave };
  const names = new Map<string, FileId>();
  const directories = new Map<string, FileId>();
  const follow = (path: string, id: FileId): void => {
    for (const [entry, file] of tree.get(id) ?? []) {
      const at = join(path, entry);
      if (tree.has(file)) {
        directories.set(at, file);
        follow(at, file);
      } else names.set(at, file);
    }
  };
  follow('.', SLAVE);
  if (tree.has(AROUND)) follow(AROUND_PATH, AROUND);
  return { names, directories };
}

/** The entries of each directory on these paths. */
export function entriesOf({ names, directories }: Visible): Map<FileId, Names> {
  const tree = new Map<FileId, Map<string, FileId>>([[SLAVE, new Map()]]);
  if (directories) for (const id of [AROUND, ...directories.values()]) tree.set(id, new Map());
  const parentOf = (path: string): FileId => {
    const parent = dirname(path);
    if (parent === '.') return SLAVE;
    return parent === AROUND_PATH ? AROUND : (directories?.get(parent) ?? SLAVE);
  };
  for (const [path, id] of [...(directories ?? []), ...names]) tree.get(parentOf(path))?.set(basename(path), id);
  return tree;
}

/** A directory's entries after some changes. A change whose predecessor is lost still has its own effect: it is a separate write. */
export function renamed(names: Names, changes: readonly NameChange[]): Names {
  const result = new Map(names);
  for (const change of changes) {
    if ('name' in change) {
      const name = basename(change.name);
      if (change.kind === 'create' || change.kind === 'make-directory') result.set(name, change.file);
      else result.delete(name);
    } else {
      const from = basename(change.from);
      if (change.kind === 'rename' && result.get(from) === change.file) result.delete(from);
      result.set(basename(change.to), change.file);
    }
  }
  return result;
}
