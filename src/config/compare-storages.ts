import { fileOf, nameInDirectory, sideOf } from '../standby/paths.js';
import { childOf, type PlacedPath, pathAt, textAt } from './found-at.js';
import type { Mistakes } from './mistakes.js';
import type { Entry, Found } from './yaml-tree.js';

/** Paths that are taken, with the key and the line that name them. */
type Taken = Map<string, string>;

/**
 * Finds what would be written to one place and destroy other data. Paths are compared as they are written. It reads the tree, so
 * that mistakes elsewhere hide none of these.
 */
export function compareStorages(tree: Found, mistakes: Mistakes): void {
  const slaves: Taken = new Map();
  const directories: Taken = new Map();
  const files: Taken = new Map();
  const masterOf = new Map<string, string>();
  const refuseTaken = (taken: Taken, { path, line }: PlacedPath, where: string, what: string): void => {
    const other = taken.get(path);
    if (other === undefined) taken.set(path, `${where} in line ${line}`);
    else mistakes.add(line, where, `${path}, which is ${other} as well`, `${what} of its own`);
  };
  const storages = childOf(tree, 'storages');
  const entries = storages?.kind === 'mapping' ? storages.entries : [];
  for (const { key, value } of entries) {
    const { master, slave } = filesOf(value);
    const where = `storages.${key}.slave`;
    if (slave && slave.path === master?.path)
      mistakes.add(slave.line, where, `${slave.path}, the master`, 'another file');
    else if (slave) {
      refuseTaken(slaves, slave, where, 'a file');
      if (master) masterOf.set(slave.path, master.path);
      if (isInCircle(slave.path, masterOf))
        mistakes.add(slave.line, where, `${slave.path}, from which its own master is copied`, 'another file');
      files.set(slave.path, `${where} in line ${slave.line}`);
    }
    if (master) files.set(master.path, `storages.${key}.master in line ${master.line}`);
    const blobs = childOf(value, 'blobs');
    const [theirs, ours] = [pathAt(blobs, 'master'), pathAt(blobs, 'slave')];
    const at = `storages.${key}.blobs.slave`;
    if (ours && ours.path === theirs?.path)
      mistakes.add(ours.line, at, `${ours.path}, the master's`, 'another directory');
    else if (ours) refuseTaken(directories, ours, at, 'a directory');
  }
  refuseReplaced(tree, entries, files, mistakes);
}

/** A switch and a text file of figures are replaced by a few lines, whatever is there. Storages may share a switch. */
function refuseReplaced(tree: Found, storages: readonly Entry[], files: Taken, mistakes: Mistakes): void {
  const switches: Taken = new Map();
  const refuse = (where: string, place: PlacedPath | undefined, ...taken: readonly Taken[]): void => {
    if (!place) return;
    const other = taken.map((each) => each.get(place.path)).find((each) => each !== undefined);
    const beside = [...files].find(([path]) => place.path.startsWith(`${path}.`));
    const what = place.path === mistakes.path ? 'this configuration' : (other ?? (beside && `beside ${beside[1]}`));
    if (what !== undefined) mistakes.add(place.line, where, `${place.path}, which is ${what}`, 'a file of its own');
  };
  for (const [prefix, found] of [
    ...storages.map(({ key, value }) => [`storages.${key}.`, value] as const),
    ['', tree] as const,
  ]) {
    const place = pathAt(found, 'status-file');
    refuse(`${prefix}status-file`, place, files);
    if (place) switches.set(place.path, `${prefix}status-file in line ${place.line}`);
  }
  refuse('watch.textfile', pathAt(childOf(tree, 'watch'), 'textfile'), files, switches);
}

/** Whether copying the master of this slave, and the master of that one, and so on, leads back to it. */
function isInCircle(slave: string, masterOf: ReadonlyMap<string, string>): boolean {
  const seen = new Set<string>();
  for (let at = masterOf.get(slave); at !== undefined && !seen.has(at); at = masterOf.get(at)) {
    if (at === slave) return true;
    seen.add(at);
  }
  return false;
}

/** Both files by the names of their paths alone. */
export function filesOf(storage: Found): {
  readonly master: PlacedPath | undefined;
  readonly slave: PlacedPath | undefined;
} {
  const file = textAt(storage, 'file')?.text;
  const [theirs, ours] = [pathAt(storage, 'master'), pathAt(storage, 'slave')];
  const sides = [ours, theirs].map((side) => side && sideOf(side.path, file, undefined));
  const name = nameInDirectory(file, ...sides);
  const fileAt = (place: PlacedPath | undefined, side: (typeof sides)[number]): PlacedPath | undefined =>
    place && side && { path: fileOf(side, name), line: place.line };
  return { master: fileAt(theirs, sides[1]), slave: fileAt(ours, sides[0]) };
}
