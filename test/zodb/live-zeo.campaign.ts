import { it } from 'node:test';
import { drawnSeed } from '../support/seed.js';
import { Judge } from './judge.js';
import { liveCampaign } from './live.js';
import { campaignMinutes } from './settings.js';

for (const packKeepOld of [true, false]) {
  it(`every sync of a busy ZEO server leaves an exact slave, pack-keep-old ${packKeepOld}`, async (t) => {
    const judge = new Judge();
    try {
      t.diagnostic(await liveCampaign(judge, { seconds: (campaignMinutes * 60) / 2, seed: drawnSeed, packKeepOld }));
    } finally {
      await judge.close();
    }
  });
}
