import assert from 'node:assert/strict';
import type { Host } from './host.js';
import type { Pair } from './pair.js';

/** The host that answers at the address, for scenes in which either of the two may serve. */

export async function serving(pair: Pair): Promise<Host> {
  const name = pair.observed.samples.at(-1)?.answers;
  assert.ok(name === 'm1' || name === 'm2', `nobody serves: ${name}`);
  return name === 'm1' ? pair.m1 : pair.m2;
}

/** Waits for it; `limit` in seconds. */
export function answers(pair: Pair, host: Host, limit = 60): Promise<number> {
  return pair.until(`${host.name} answers at the address`, (now) => now.answers === host.name, limit);
}

/** Nobody answered for less than `limit` seconds. */
export function silence(pair: Pair, from: number, limit: number): void {
  const silent = pair.observed.between(from).longestSilence();
  pair.say(`nobody answered for ${silent.toFixed(1)} s`);
  assert.ok(silent < limit, `nobody answered for ${silent} s`);
}
