import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BlobSettings } from '../../src/blobs/settings.js';
import { runSync, type SyncResult } from '../../src/round/run-sync.js';
import type { ScrubAmount } from '../../src/scrub/round.js';
import { transactionEdges } from '../crash/edges.js';
import { fill } from '../support/in-mid-copy.js';
import type { Pair } from '../support/pair.js';

/** Small enough that a master of some kilobytes has many chunks: the command line's `--chunk-size`. */
const SMALL = 512;
const POOLED = 65_536;

/** A run that faults are injected into: the state before it, and its normal result. */
export interface Scene<P extends Pair = Pair> {
  readonly name: string;
  readonly prepare: (pair: P) => void | Promise<void>;
  readonly args: readonly string[];
  /** The slave has transactions of its own, which must stay in its directory under some name. */
  readonly keepsOwn?: boolean;
  /** The blobs are synced as well. */
  readonly withBlobs?: boolean;
}

/** Without a scrub, which has its own scenes. */
export const inSmallChunks = ['--chunk-size', `${SMALL}B`, '--workers', '0', '--scrub', '0'];

/** Brings the slave in step in this process, ten times faster than in a new one. */
export function syncHere(
  pair: Pair,
  full = false,
  chunkBytes = SMALL,
  scrub: ScrubAmount = 0,
  blobs?: BlobSettings,
): Promise<SyncResult> {
  const { master, slave, statusFile } = pair;
  return runSync({ master, slave, statusFile, full, chunkBytes, scrub, workers: 0, blobs });
}

async function inStep(pair: Pair, chunkBytes = SMALL): Promise<void> {
  const { exitCode, reason } = await syncHere(pair, false, chunkBytes);
  if (exitCode !== 0) throw new Error(`the slave could not be brought in step: ${reason}`);
}

/** An index beside the slave, as a server leaves it. Its content does not matter: a rebuild removes it. */
function leaveIndex(pair: Pair): void {
  writeFileSync(`${pair.slaveFile}.index`, 'an index of the old file');
}

function grow(pair: Pair): void {
  for (const length of [300, 600, 50]) pair.commit('a'.repeat(length), 'b'.repeat(length));
}

/** The file's bytes up to the end that a FileStorage would show. */
export function committed(path: string): Buffer {
  const bytes = readFileSync(path);
  return bytes.subarray(0, transactionEdges(bytes).at(-1));
}

export const SCENES: readonly Scene[] = [
  {
    name: 'append',
    args: inSmallChunks,
    async prepare(pair) {
      await inStep(pair);
      grow(pair);
    },
  },
  { name: 'first copy', args: inSmallChunks, prepare: grow },
  {
    name: 'rebuild after a pack',
    args: inSmallChunks,
    async prepare(pair) {
      grow(pair);
      await inStep(pair);
      leaveIndex(pair);
      if (!pair.site.pack()) throw new Error('the pack has freed nothing');
      pair.commit('after the pack');
    },
  },
  {
    name: 'full over own transactions',
    args: [...inSmallChunks, '--full'],
    keepsOwn: true,
    async prepare(pair) {
      await inStep(pair);
      pair.commitToSlave('only here');
      leaveIndex(pair);
      grow(pair);
    },
  },
  {
    name: 'an unfinished batch',
    args: inSmallChunks,
    async prepare(pair) {
      await inStep(pair);
      const claim = statSync(pair.slaveFile).size;
      grow(pair);
      const batch = Buffer.from(readFileSync(pair.masterFile));
      batch.write('c', claim + 16);
      writeFileSync(pair.slaveFile, batch.subarray(0, batch.length - 100), { flag: 'r+' });
      truncateSync(pair.slaveFile, batch.length - 100);
      grow(pair);
    },
  },
  {
    name: 'a flipped batch',
    args: inSmallChunks,
    async prepare(pair) {
      await inStep(pair);
      grow(pair);
      writeFileSync(pair.slaveFile, readFileSync(pair.masterFile), { flag: 'r+' });
      grow(pair);
    },
  },
  {
    name: 'nothing new',
    args: inSmallChunks,
    prepare: (pair) => inStep(pair),
  },
  {
    name: 'a long tail with a worker',
    // Only one: with several it is chance which makes the n-th call.
    args: ['--chunk-size', `${POOLED}B`, '--workers', '1', '--scrub', '0'],
    async prepare(pair) {
      await inStep(pair, POOLED);
      fill(pair, 1);
      for (let n = 0; n < 16; n++) pair.commit('z'.repeat(60_000));
    },
  },
];

/** A slave with a wrong byte in an old chunk, and a run that repairs it. */
export const REPAIR: Scene = {
  name: 'a repair by scrub',
  args: ['--chunk-size', `${SMALL}B`, '--workers', '0', '--scrub', 'full'],
  async prepare(pair) {
    grow(pair);
    await inStep(pair);
    const bytes = readFileSync(pair.slaveFile);
    const at = bytes.indexOf('a'.repeat(50));
    bytes[at] = 'b'.charCodeAt(0);
    writeFileSync(pair.slaveFile, bytes, { flag: 'r+' });
  },
};

/** Left out of the short sweep, because they take the same paths as others. */
const FOR_THE_CAMPAIGN: ReadonlySet<string> = new Set(['a flipped batch']);

export const SAMPLED: readonly Scene[] = SCENES.filter(({ name }) => !FOR_THE_CAMPAIGN.has(name));

export const ONLY_HERE = 'Data.fs.only-here-';

/** The paths whose calls fail, by role. */
export function pathsOf(pair: Pair): ReadonlyMap<string, string> {
  return new Map([
    ['master', pair.masterFile],
    ['slave', pair.slaveFile],
    ['new', `${pair.slaveFile}.new`],
    ['dat', pair.dat],
    ['dat.tmp', `${pair.dat}.tmp`],
    ['outcome', `${pair.slaveFile}.outcome`],
    ['outcome.tmp', `${pair.slaveFile}.outcome.tmp`],
    ['events', `${pair.slaveFile}.events`],
    ['lock', join(pair.slave, 'Data.fs.lock')],
    ['index', `${pair.slaveFile}.index`],
    ['directory', pair.slave],
    ['status', pair.statusFile],
  ]);
}
