import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathOf } from '../../src/blobs/layout.js';
import { exportLost } from '../../src/extract/export-lost.js';
import { makeNewFile } from '../../src/extract/new-file.js';
import { writeUnnamed } from '../../src/extract/thin-file.js';
import { ReadDeadline } from '../../src/pipeline/read-deadline.js';
import { Window } from '../../src/pipeline/window.js';
import { BLOB_RECORD } from '../support/blob-records.js';
import { dataFs, nthTid, plain } from '../support/data-fs.js';
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
const TID = nthTid(3);

/** All transactions but the first, the last of them with a blob. */
function rangeWithBlob() {
  const { bytes, places } = dataFs([...plain(3), { tid: TID, records: [{ oid: 1n, data: BLOB_RECORD }] }]);
  return { source: new MemoryFile(bytes), from: places[1]?.position ?? 0, end: bytes.length };
}

/** A blob directory with the one blob, outside of what is recorded. */
function blobsBeside(directory: string): string {
  const tree = `${directory}-blobs`;
  const path = join(tree, pathOf({ oid: 1n, tid: TID }, 'lawn'));
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(join(tree, '.layout'), 'lawn');
  writeFileSync(path, 'a blob');
  return tree;
}

const RUNS: Readonly<Record<string, (directory: string) => Promise<unknown>>> = {
  export: (directory) =>
    exportLost({
      ...rangeWithBlob(),
      directory,
      owner: OWNER,
      window: new Window(1 << 16),
      blobs: blobsBeside(directory),
      deadline: new ReadDeadline(10),
      render: () => 'what was lost',
    }),
  extract: (directory) =>
    makeNewFile(join(directory, 'some.fs'), (temporary) =>
      writeUnnamed({ ...rangeWithBlob(), owner: OWNER, window: new Window(1 << 16) }, temporary),
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
    const all = readdirSync(directory, { recursive: true, encoding: 'utf8' });
    const paths = all.filter((path) => statSync(join(directory, path)).isFile());
    const files = new Map(paths.map((path) => [path, readFileSync(join(directory, path))]));
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
    if (!name.includes('/') && image.attributes !== given) return `${name} has lost its mode`;
  }
  const blobs = names.filter((name) => name.includes('/'));
  const found = blobs.filter((name) => state.names.has(name)).length;
  if (found > 0 && found < blobs.length) return 'the blob directory is not complete';
  const isThere = (end: string): boolean => names.some((name) => name.endsWith(end) && state.names.has(name));
  if (isThere('.fs') && found < blobs.length) return 'there is a thin file, and not its blobs';
  return isThere('.json') && !isThere('.fs') ? 'there is a report, and no thin file' : undefined;
}
