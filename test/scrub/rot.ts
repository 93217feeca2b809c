import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { Pair } from '../support/pair.js';
import { Random } from '../support/random.js';
import { datOf, flipBits, manyChunks, syncAndScrub } from '../support/rot.js';

const BLOCK = 4096;

/** The fault model: one bit flips in every 4 KiB below the claim, on the slave or the master, one at a time and all at once. */
export async function rotEverywhere(pair: Pair, transactions: number, seed: number): Promise<number> {
  await manyChunks(pair, transactions);
  const random = new Random(seed);
  const good = readFileSync(pair.slaveFile);
  const end = datOf(pair).claim.position;
  const places = Array.from({ length: Math.ceil(end / BLOCK) }, (_, block) => {
    const from = Math.max(4, block * BLOCK);
    return from + random.below(Math.min(end, (block + 1) * BLOCK) - from);
  });
  for (const at of places) {
    const bit = random.below(8);
    flipBits(pair.slaveFile, [at], bit);
    await assertRepaired(pair, good, `bit ${bit} at ${at} of the slave`);
    flipBits(pair.masterFile, [at], bit);
    await assertReported(pair, good, `bit ${bit} at ${at} of the master`);
    flipBits(pair.masterFile, [at], bit);
  }
  flipBits(pair.slaveFile, places, random.below(8));
  await assertRepaired(pair, good, 'a bit in every 4 KiB of the slave');
  flipBits(pair.masterFile, places, 0);
  await assertReported(pair, good, 'a bit in every 4 KiB of the master');
  return places.length;
}

async function assertRepaired(pair: Pair, good: Buffer, what: string): Promise<void> {
  const { exitCode, reason, action, scrubbed } = await syncAndScrub(pair, 'full');
  assert.equal(exitCode, 0, `${what}: ${reason}`);
  assert.ok(readFileSync(pair.slaveFile).equals(good), `${what}: repaired (${action})`);
  assert.ok(scrubbed.bad > 0 || action === 'append', `${what}: found`);
}

async function assertReported(pair: Pair, good: Buffer, what: string): Promise<void> {
  const { exitCode, reason, hint } = await syncAndScrub(pair, 'full');
  assert.equal(exitCode, 4, `${what}: ${reason}`);
  assert.match(reason, /^the master is damaged at position \d+/, what);
  assert.match(hint ?? '', /keep/, what);
  assert.ok(readFileSync(pair.slaveFile).equals(good), `${what}: never copied`);
}
