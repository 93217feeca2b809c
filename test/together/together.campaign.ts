import { describe, it } from 'node:test';
import { Random } from '../support/random.js';
import { drawnSeed } from '../support/seed.js';
import { campaignMinutes } from '../zodb/settings.js';
import { killedRounds, roundsTogether } from './rounds.js';

const random = new Random(Number.parseInt(drawnSeed, 10));
const CASES = 6;

describe(`a site of two storages, in many ways (seed ${drawnSeed})`, () => {
  for (let number = 0; number < CASES; number++) {
    const zeo = number % 2 === 1;
    const writers = zeo ? 1 + random.below(3) : 1;
    const settings = {
      seed: `${drawnSeed}${number}`,
      zeo,
      writers,
      threads: writers * (1 + random.below(3)),
      pauses: random.pick([0, 0.2, 0.5]),
      longest: random.pick([0.005, 0.03, 0.2]),
      rest: random.pick([0.05, 0.1, 0.3]),
      packEvery: random.pick([0.3, 1.5, 5]),
    };
    it(JSON.stringify(settings), async (t) => {
      await roundsTogether(t, settings, (campaignMinutes * 60) / CASES, 1);
      await killedRounds(t, { ...settings, pauses: 0.2, longest: 0.03, rest: 0.1 }, 40);
    });
  }
});
