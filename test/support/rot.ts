import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { runSync, type SyncOptions, type SyncResult } from '../../src/round/run-sync.js';
import { type Dat, parseDat } from '../../src/standby/dat.js';
import type { Pair } from './pair.js';

const CHUNK_BYTES = 32_768;
const WINDOW_BYTES = 65_536;

/** Commits enough for a slave of many chunks, and brings it in step; the last run copies one small transaction. */
export async function manyChunks(pair: Pair, transactions = 40): Promise<void> {
  for (let n = 0; n < transactions; n++) pair.commit(`${n} `.padEnd(8000, 'old bytes '));
  for (const text of ['nearly the last', 'the last']) {
    pair.commit(text);
    const { exitCode, reason } = await syncAndScrub(pair, 0);
    assert.equal(exitCode, 0, reason);
  }
}

/** One run in this process, with small chunks. */
export function syncAndScrub(
  pair: Pair,
  scrub: SyncOptions['scrub'] & {},
  more: Partial<SyncOptions> = {},
): Promise<SyncResult> {
  const { master, slave, statusFile } = pair;
  const sizes = { chunkBytes: CHUNK_BYTES, windowBytes: WINDOW_BYTES, workers: 0 };
  return runSync({ master, slave, statusFile, ...sizes, scrub, ...more });
}

/** Flips one bit of each of these bytes of a file. */
export function flipBits(path: string, positions: readonly number[], bit = 0): void {
  const bytes = readFileSync(path);
  for (const position of positions) bytes[position] = (bytes[position] ?? 0) ^ (1 << bit);
  writeFileSync(path, bytes, { flag: 'r+' });
}

/** The facts in the slave's `.dat`. */
export function datOf(pair: Pair): Dat {
  const parsed = parseDat(readFileSync(pair.dat, 'utf8'));
  if (!('dat' in parsed)) throw new Error(parsed.problem);
  return parsed.dat;
}
