import assert from 'node:assert/strict';
import { it } from 'node:test';
import { fixedSeed } from '../support/seed.js';
import { rotEvents } from './rot-events.js';

const ROUNDS = 6;
const EVENTS = 30;
const seed = fixedSeed(20_261_128);

/** Seeds that once ended wrongly, and how. */
const FAILED_ONCE = [
  // A chunk that was wrong on both sides was treated as a pack of the master, and the master's bytes were copied.
  { seed: 258746949, events: 60 },
  // Flipped bits of the slave were treated as transactions of its own.
  { seed: 1000016, events: 100 },
  { seed: 1000039, events: 100 },
  // A chunk before those repaired for the index was reported as lost by the disk.
  { seed: 2000159, events: 100 },
];

it('a run that ends with 0 leaves a slave from which FileStorage loads every object, whatever bits have flipped', async (t) => {
  const total = { judged: 0, withIndex: 0, repaired: 0, refused: 0 };
  for (let round = 0; round < ROUNDS; round++) {
    const counts = await rotEvents({ seed: (Number(seed) + round) | 0, events: EVENTS, pack: 'never' });
    for (const key of ['judged', 'withIndex', 'repaired', 'refused'] as const) total[key] += counts[key];
  }
  t.diagnostic(`seed ${seed}: ${JSON.stringify(total)}`);
  assert.ok(total.judged >= 2 * ROUNDS && total.repaired > 0 && total.withIndex > 0);
});

for (const { seed: failed, events } of FAILED_ONCE) {
  it(`the same with the flips of seed ${failed}`, async () => {
    const { judged } = await rotEvents({ seed: failed, events, pack: 'never' });
    assert.ok(judged > 0);
  });
}
