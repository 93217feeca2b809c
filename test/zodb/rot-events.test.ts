import assert from 'node:assert/strict';
import { it } from 'node:test';
import { rotEvents } from './rot-events.js';
import { seed } from './settings.js';

const ROUNDS = 6;
const EVENTS = 60;

it('a run that ends with 0 leaves a slave from which FileStorage loads every object, whatever bits have flipped', async (t) => {
  const total = { judged: 0, withIndex: 0, repaired: 0, refused: 0 };
  for (let round = 0; round < ROUNDS; round++) {
    const counts = await rotEvents({ seed: (Number(seed) + round) | 0, events: EVENTS, pack: 'never' });
    for (const key of ['judged', 'withIndex', 'repaired', 'refused'] as const) total[key] += counts[key];
  }
  t.diagnostic(`seed ${seed}: ${JSON.stringify(total)}`);
  assert.ok(total.judged >= 2 * ROUNDS && total.repaired > 0 && total.withIndex > 0);
});
