import { it } from 'node:test';
import { drawnSeed } from '../support/seed.js';
import { rotEvents } from './rot-events.js';
import { campaignMinutes } from './settings.js';

const EVENTS = 150;
/** The live ZEO gets most of a campaign's time. */
const SHARE = 0.3;

it('flipped bits on either side, syncs, scrubs, indexes and packs in any order never end with 0 and a wrong slave', async (t) => {
  const until = Date.now() + campaignMinutes * SHARE * 60_000;
  const total = { judged: 0, withIndex: 0, repaired: 0, refused: 0 };
  let rounds = 0;
  for (; Date.now() < until; rounds++) {
    const pack = rounds % 2 === 0 ? 'never' : 'while intact';
    const counts = await rotEvents({ seed: (Number(drawnSeed) + rounds) | 0, events: EVENTS, pack });
    for (const key of ['judged', 'withIndex', 'repaired', 'refused'] as const) total[key] += counts[key];
  }
  t.diagnostic(`${rounds} rounds: ${JSON.stringify(total)}`);
});
