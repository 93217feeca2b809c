import { fileOf, nameInDirectory, sideOf } from '../standby/paths.js';
import type { Mistakes } from './mistakes.js';
import { pathOf } from './values.js';
import type { Found } from './yaml-tree.js';

interface PlacedPath {
  readonly path: string;
  readonly line: number;
}

/**
 * Finds storages that would write to one place and destroy each other's data. Paths are compared as they are written. It reads the
 * tree, so that mistakes elsewhere hide none of these.
 */
export function compareStorages(tree: Found, mistakes: Mistakes): void {
  const slaves = new Map<string, string>();
  const directories = new Map<string, string>();
  const refuseTaken = (taken: Map<string, string>, { path, line }: PlacedPath, where: string, what: string): void => {
    const other = taken.get(path);
    if (other === undefined) taken.set(path, `${where} in line ${line}`);
    else mistakes.add(line, where, `${path}, which is ${other} as well`, `${what} of its own`);
  };
  const storages = childOf(tree, 'storages');
  for (const { key, value } of storages?.kind === 'mapping' ? storages.entries : []) {
    const { master, slave } = filesOf(value);
    const where = `storages.${key}.slave`;
    if (slave && slave.path === master?.path)
      mistakes.add(slave.line, where, `${slave.path}, the master`, 'another file');
    else if (slave) refuseTaken(slaves, slave, where, 'a file');
    const blobs = childOf(value, 'blobs');
    const [theirs, ours] = [pathAt(blobs, 'master'), pathAt(blobs, 'slave')];
    const at = `storages.${key}.blobs.slave`;
    if (ours && ours.path === theirs?.path)
      mistakes.add(ours.line, at, `${ours.path}, the master's`, 'another directory');
    else if (ours) refuseTaken(directories, ours, at, 'a directory');
  }
}

/** Both files by the names of their paths alone. */
function filesOf(storage: Found): { readonly master: PlacedPath | undefined; readonly slave: PlacedPath | undefined } {
  const file = textAt(storage, 'file');
  const [theirs, ours] = [pathAt(storage, 'master'), pathAt(storage, 'slave')];
  const sides = [ours, theirs].map((side) => side && sideOf(side.path, file, undefined));
  const name = nameInDirectory(file, ...sides);
  const fileAt = (place: PlacedPath | undefined, side: (typeof sides)[number]): PlacedPath | undefined =>
    place && side && { path: fileOf(side, name), line: place.line };
  return { master: fileAt(theirs, sides[1]), slave: fileAt(ours, sides[0]) };
}

function childOf(found: Found | undefined, key: string): Found | undefined {
  return found?.kind === 'mapping' ? found.entries.find((entry) => entry.key === key)?.value : undefined;
}

function textAt(found: Found | undefined, key: string): string | undefined {
  const child = childOf(found, key);
  return child?.kind === 'scalar' && typeof child.value === 'string' ? child.value : undefined;
}

function pathAt(found: Found | undefined, key: string): PlacedPath | undefined {
  const text = textAt(found, key);
  const path = text === undefined ? undefined : pathOf(text);
  return path === undefined ? undefined : { path, line: childOf(found, key)?.line ?? 0 };
}
