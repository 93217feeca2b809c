import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runSync, type SyncResult } from '../../src/commands/sync.js';
import type { ScrubAmount } from '../../src/scrub/round.js';
import { transactionEdges } from '../crash/edges.js';
import { fill } from '../support/in-mid-copy.js';
import type { Pair } from '../support/pair.js';

/** Chunks so small that a master of some kilobytes has many: the command line's `--chunk-size`. */
const SMALL = 512;
const POOLED = 65_536;

/** A run that faults are put into: what there is before it, and how it goes without them. */
export interface Scene {
  readonly name: string;
  readonly prepare: (pair: Pair) => void | Promise<void>;
  readonly args: readonly string[];
  /** The slave has transactions of its own, which have to stay in its directory under some name. */
  readonly keepsOwn?: boolean;
}

/** Without a scrub: it has scenes of its own. */
const inSmallChunks = ['--chunk-size', `${SMALL}B`, '--workers', '0', '--scrub', '0'];

/** Brings the slave in step, in this process: a tenth of what a process of its own takes. */
export function syncHere(pair: Pair, full = false, chunkBytes = SMALL, scrub: ScrubAmount = 0): Promise<SyncResult> {
  const { master, slave, statusFile } = pair;
  return runSync({ master, slave, statusFile, full, chunkBytes, scrub, workers: 0 });
}

async function inStep(pair: Pair, chunkBytes = SMALL): Promise<void> {
  const { exitCode, reason } = await syncHere(pair, false, chunkBytes);
  if (exitCode !== 0) throw new Error(`the slave could not be brought in step: ${reason}`);
}

/** An index beside the slave, as a server leaves it. What is in it is of no account: a rebuild takes it away. */
function leaveIndex(pair: Pair): void {
  writeFileSync(`${pair.slaveFile}.index`, 'an index of the old file');
}

function grow(pair: Pair): void {
  for (const length of [300, 600, 50]) pair.commit('a'.repeat(length), 'b'.repeat(length));
}

/** The file's bytes up to the end of what a FileStorage would show of it. */
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
    // One only: which of several makes the n-th call is chance.
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

/** Those that the short sweep leaves out: they take the ways of others. */
const FOR_THE_CAMPAIGN: ReadonlySet<string> = new Set(['a flipped batch']);

export const SAMPLED: readonly Scene[] = SCENES.filter(({ name }) => !FOR_THE_CAMPAIGN.has(name));

export const ONLY_HERE = 'Data.fs.only-here-';

/** The paths whose calls are made to fail, by what they are. */
export function pathsOf(pair: Pair): ReadonlyMap<string, string> {
  return new Map([
    ['master', pair.masterFile],
    ['slave', pair.slaveFile],
    ['new', `${pair.slaveFile}.new`],
    ['dat', pair.dat],
    ['dat.tmp', `${pair.dat}.tmp`],
    ['outcome', `${pair.slaveFile}.outcome`],
    ['outcome.tmp', `${pair.slaveFile}.outcome.tmp`],
    ['lock', join(pair.slave, 'Data.fs.lock')],
    ['index', `${pair.slaveFile}.index`],
    ['directory', pair.slave],
    ['status', pair.statusFile],
  ]);
}
