import { after, before, describe, it } from 'node:test';
import { fixedSeed } from '../support/seed.js';
import { Judge } from './judge.js';
import { liveCampaign } from './live.js';

const SECONDS = 12;
const seed = fixedSeed(20_261_128);

describe('a ZEO server that commits, aborts, undoes, deletes and packs', () => {
  let judge: Judge;
  before(() => {
    judge = new Judge();
  });
  after(() => judge.close());

  for (const packKeepOld of [true, false]) {
    it(`every sync leaves an exact slave, pack-keep-old ${packKeepOld}`, async (t) => {
      t.diagnostic(await liveCampaign(judge, { seconds: SECONDS, seed, packKeepOld }));
    });
  }
});
