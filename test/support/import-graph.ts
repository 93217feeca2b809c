import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { inProject } from './root.js';

/** The imports by name, including types and dynamic imports. */
export type ImportGraph = ReadonlyMap<string, ReadonlySet<string>>;

/** The sources in these folders of the project, by path. */
export function importGraph(...folders: readonly string[]): ImportGraph {
  return new Map(folders.flatMap(sourcesIn).map((path) => [path, importsOf(path)]));
}

function sourcesIn(folder: string): string[] {
  const names = readdirSync(inProject(folder), { recursive: true, encoding: 'utf8' });
  return names.filter((name) => name.endsWith('.ts')).map((name) => join(folder, name));
}

function importsOf(path: string): Set<string> {
  const text = readFileSync(inProject(path), 'utf8');
  const found = text.matchAll(/(?:\bfrom|\bimport\() ?'(\.[^']+)\.js'/g);
  return new Set([...found].map(([, target]) => `${normalize(join(dirname(path), target ?? ''))}.ts`));
}

/** The same graph between the folders of src; files in src itself count as a folder. */
export function betweenRooms(graph: ImportGraph): ImportGraph {
  const rooms = new Map<string, Set<string>>();
  for (const [path, targets] of graph) {
    const room = roomOf(path);
    const known = rooms.get(room) ?? new Set();
    rooms.set(room, known);
    for (const target of targets) if (roomOf(target) !== room) known.add(roomOf(target));
  }
  return rooms;
}

function roomOf(path: string): string {
  return dirname(path);
}

/** One circle per import that closes one, from its start back to its start. */
export function circlesIn(graph: ImportGraph): string[][] {
  const circles: string[][] = [];
  const done = new Set<string>();
  const way: string[] = [];
  for (const name of graph.keys()) visit(name);
  return circles;

  function visit(name: string): void {
    const begun = way.indexOf(name);
    if (begun >= 0) circles.push([...way.slice(begun), name]);
    if (begun >= 0 || done.has(name)) return;
    way.push(name);
    for (const target of graph.get(name) ?? []) visit(target);
    way.pop();
    done.add(name);
  }
}
