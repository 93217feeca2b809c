import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { restore } from '../../src/extract/restore.js';
import { AdaptiveSource } from '../../src/pipeline/adaptive-source.js';
import { ReadDeadline } from '../../src/pipeline/read-deadline.js';
import { Window } from '../../src/pipeline/window.js';
import { dataFs } from '../support/data-fs.js';
import { transactionsOf } from '../support/walking.js';
import { imageAt } from './beside.js';
import { placeOf } from './blob-site.js';
import type { Change } from './change.js';
import type { Mutation } from './enumerate.js';
import { DATA } from './history.js';
import { BLOBS } from './image.js';
import type { Judge } from './judge.js';
import type { Disk } from './model-disk.js';
import { SIZES } from './one-sync.js';
import { crashesOf } from './promotion-crashes.js';
import { Identities, readDisk, record } from './record.js';
import { Stage } from './scenario.js';
import { FIRST, siteWithBlobs } from './scenarios/blobs.js';

/**
 * A restore to a new file, beside the index of a file that is gone. After any crash of it the new file is complete, with its
 * index and all blobs, or it is not there; and it is there once the restore has returned.
 */
export interface RestoreCrashes {
  readonly name: string;
  readonly start: Disk;
  readonly changes: readonly Change[];
  /** What the new file has to be, and its index; undefined: none. */
  readonly data: Uint8Array;
  readonly index: Uint8Array | undefined;
  /** Names of the blobs in the directory of blobs, and their contents. */
  readonly blobs: ReadonlyMap<string, Uint8Array>;
}

const INDEX = `${DATA}.index`;

/** Records each in its own directory. */
export async function recordRestores(judge: Judge): Promise<RestoreCrashes[]> {
  return [await withBlobs(judge, false), await withBlobs(judge, true), await withoutRecords(judge)];
}

async function withBlobs(judge: Judge, copies: boolean): Promise<RestoreCrashes> {
  const name = `restore with blobs, ${copies ? 'copied' : 'linked'}`;
  const stage = stageFor(judge, name);
  const blobs = stage.withBlobs('bushy');
  const site = siteWithBlobs(stage, blobs);
  site.close();
  rmdirSync(stage.slaveBlobs);
  const bytes = readFileSync(stage.masterFile);
  const named = [...blobs.contents.keys()].map((key) => key.split(' ').map((half) => BigInt(`0x${half}`)));
  const places = named.map(([oid = FIRST, tid = 0n]) => placeOf({ oid, tid }, 'bushy'));
  const contents = [...blobs.contents.values()];
  const all = new Map(places.map((place, n) => [join(BLOBS, place), contents[n] ?? new Uint8Array()]));
  all.set(join(BLOBS, '.layout'), Buffer.from('bushy'));
  const request = { from: blobs.directory, to: stage.slaveBlobs, copies };
  return recorded(name, stage, bytes, all, request);
}

async function withoutRecords(judge: Judge): Promise<RestoreCrashes> {
  const name = 'restore of transactions without records';
  const stage = stageFor(judge, name);
  const { bytes } = dataFs([{ description: 'one' }, { description: 'two' }]);
  writeFileSync(stage.masterFile, bytes);
  return recorded(name, stage, bytes, new Map(), undefined);
}

function stageFor(judge: Judge, name: string): Stage {
  const directory = join(judge.scratch, name.replaceAll(/\W+/g, '-'));
  mkdirSync(directory);
  return new Stage(directory, judge.openings);
}

async function recorded(
  name: string,
  stage: Stage,
  bytes: Uint8Array,
  blobs: ReadonlyMap<string, Uint8Array>,
  request: { readonly from: string; readonly to: string; readonly copies: boolean } | undefined,
): Promise<RestoreCrashes> {
  writeFileSync(join(stage.slave, INDEX), 'the index of a file that is gone');
  const identities = new Identities();
  const start = readDisk(stage.slave, identities, true);
  const deadline = new ReadDeadline(30);
  const source = new AdaptiveSource(new Window(SIZES.windowBytes), 0, deadline, { ...SIZES, onProgress: () => {} });
  const dest = stage.slaveFile;
  const { tid } = transactionsOf(bytes).at(-1)!;
  const moment = { tid, time: null };
  const { changes, result } = await record(stage.slave, start, identities, () =>
    restore({
      path: stage.masterFile,
      dest,
      moment,
      dryRun: false,
      blobs: request,
      onFiles: () => {},
      source,
      deadline,
    }),
  );
  assert.equal(result.kind, 'done');
  const index = join(stage.slave, INDEX);
  return { name, start, changes, data: bytes, index: existsSync(index) ? readFileSync(index) : undefined, blobs };
}

/** Describes every bad state of every crash point; `seen` receives the states' keys. */
export function restoreProblems(of: RestoreCrashes, seen: Set<string>, mutation?: Mutation): string[] {
  const problems: string[] = [];
  for (const { point, state, returned } of crashesOf(of, [], mutation)) {
    seen.add(state.key);
    const problem = problemIn(of, state, returned);
    if (problem) problems.push(`${of.name}, after change ${point}: ${problem}`);
    if (problem && mutation) break;
  }
  return problems;
}

function problemIn(of: RestoreCrashes, state: Disk, returned: boolean): string | undefined {
  const data = imageAt(state, DATA);
  if (!data) return returned ? 'it has returned, and the file is not there' : undefined;
  if (Buffer.compare(data.bytes, of.data) !== 0) return 'the file is not complete';
  const given = of.changes.filter((change) => change.kind === 'attributes' && change.file === state.names.get(DATA));
  if (data.attributes !== given.length) return 'the file has lost its mode';
  const index = imageAt(state, INDEX);
  if (of.index === undefined) {
    if (index) return 'the file has no record, and the index of another file is beside it';
  } else if (!index || Buffer.compare(index.bytes, of.index) !== 0) return 'its index is not beside it';
  for (const [name, bytes] of of.blobs) {
    const blob = imageAt(state, name);
    if (!blob || Buffer.compare(blob.bytes, bytes) !== 0) return `the blob ${name} is not there`;
  }
  return undefined;
}
