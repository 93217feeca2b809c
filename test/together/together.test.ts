import { describe, it } from 'node:test';
import { fixedSeed } from '../support/seed.js';
import { killedRounds, oneAfterTheOther, roundsTogether, watchedRounds } from './rounds.js';
import type { SiteSettings } from './two-storages.js';

/** Long pauses between the two tpc_finish calls of a commit: often one storage has it and the other does not. */
const DIRECT: SiteSettings = {
  seed: fixedSeed(20_261_128),
  zeo: false,
  writers: 1,
  threads: 4,
  pauses: 0.5,
  longest: 0.03,
  rest: 0.1,
  packEvery: 1.5,
};
const BY_ZEO: SiteSettings = { ...DIRECT, zeo: true, writers: 2, threads: 6 };

describe('a site of two storages that is written to all the time', () => {
  for (const [name, settings] of [
    ['by its own process', DIRECT],
    ['by two clients of a ZEO server', BY_ZEO],
  ] as const) {
    it(`${name}: after every round both slaves show one moment`, (t) => roundsTogether(t, settings, 8));
    it(`${name}: a watch brings both slaves to one moment in each round`, (t) => watchedRounds(t, settings, 3));
    it(`${name}: synced one after the other, they do not`, (t) => oneAfterTheOther(t, settings));
    it(`${name}: a killed round leaves slaves that ZODB opens, and status knows whether they belong together`, (t) =>
      killedRounds(t, settings, 10));
  }
});
