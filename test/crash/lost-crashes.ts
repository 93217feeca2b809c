import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { exportLost } from '../../src/extract/export-lost.js';
import { makeNewFile } from '../../src/extract/new-file.js';
import { writeUnnamed } from '../../src/extract/thin-file.js';
import { ReadDeadline } from '../../src/pipeline/read-deadline.js';
import { Window } from '../../src/pipeline/window.js';
import { dataFs, plain } from '../support/data-fs.js';
import { MemoryFile } from '../support/memory-file.js';
import type { Change } from './change.js';
import type { Mutation } from './enumerate.js';
import { type Disk, ModelDisk } from './model-disk.js';
import { Identities, readDisk, record } from './record.js';
import { type State, statesOf, VariantCache } from './states.js';

/**
 * The export of what was lost, and `extract`. After any crash each file that has its name is complete and has its mode; where
 * there is a report there is the thin file; and all of it is there once the call has returned.
 */
export interface LostRecord {
  readonly name: string;
  readonly start: Disk;
  readonly changes: readonly Change[];
  /** The files at the end, by name. */
  readonly files: ReadonlyMap<string, Buffer>;
}

const OWNER = { mode: 0o640 };

function rangeOfTwo() {
  const { bytes, places } = dataFs(plain(3));
  return { source: new MemoryFile(bytes), from: places[1]?.position ?? 0, end: bytes.length };
}

const RUNS: Readonly<Record<string, (directory: string) => Promise<unknown>>> = {
  export: (directory) =>
    exportLost({
      ...rangeOfTwo(),
      directory,
      owner: OWNER,
      window: new Window(1 << 16),
      blobs: undefined,
      deadline: new ReadDeadline(10),
      render: () => 'what was lost',
    }),
  extract: (directory) =>
    makeNewFile(join(directory, 'some.fs'), (temporary) =>
      writeUnnamed({ ...rangeOfTwo(), owner: OWNER, window: new Window(1 << 16) }, temporary),
    ),
};

/** Records each in a directory of its own. */
export async function recordLost(root: string): Promise<LostRecord[]> {
  const records: LostRecord[] = [];
  for (const [name, run] of Object.entries(RUNS)) {
    const directory = `${root}-${name}`;
    mkdirSync(directory);
    const identities = new Identities();
    const start = readDisk(directory, identities);
    const { changes } = await record(directory, start.names, identities, () => run(directory));
    const files = new Map(readdirSync(directory).map((file) => [file, readFileSync(join(directory, file))]));
    records.push({ name, start, changes, files });
  }
  return records;
}

/** Describes every bad state of every crash point; `seen` receives the states' keys. */
export function lostProblems(of: LostRecord, seen: Set<string>, mutation?: Mutation): string[] {
  const disk = new ModelDisk(of.start);
  const variants = new VariantCache();
  const problems: string[] = [];
  for (let point = -1; point < of.changes.length; point++) {
    const change = of.changes[point];
    if (change) disk.apply(mutation?.lost.has(point) ? { ...change, lost: true } : change);
    const returned = point === of.changes.length - 1;
    for (const state of statesOf(disk, [], variants)) {
      seen.add(state.key);
      const problem = problemOf(of, state, returned);
      if (problem) problems.push(`${of.name}, after change ${point}: ${problem}`);
    }
  }
  return problems;
}

function problemOf({ files, changes }: LostRecord, state: State, returned: boolean): string | undefined {
  const names = [...files.keys()];
  for (const name of names) {
    const file = state.names.get(name);
    if (file === undefined) {
      if (returned) return `${name} is not there`;
      continue;
    }
    const image = state.images.get(file);
    if (!image || files.get(name)?.equals(image.bytes) !== true) return `${name} is not complete`;
    const given = changes.filter((change) => change.kind === 'attributes' && change.file === file).length;
    if (image.attributes !== given) return `${name} has lost its mode`;
  }
  const isThere = (end: string): boolean => names.some((name) => name.endsWith(end) && state.names.has(name));
  return isThere('.json') && !isThere('.fs') ? 'there is a report, and no thin file' : undefined;
}
