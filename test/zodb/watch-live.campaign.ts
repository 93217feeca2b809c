import { describe, it } from 'node:test';
import { campaignMinutes } from './settings.js';
import { renderWatched, watchUnderLoad } from './watch-live.js';

describe('a watch under load, for long', () => {
  it('follows a real ZODB that commits 40 times a second and packs each minute', async (test) => {
    const watched = await watchUnderLoad({
      commitsASecond: 40,
      seconds: campaignMinutes * 60,
      packEverySeconds: 60,
      interval: '1s',
    });
    test.diagnostic(renderWatched(watched));
  });
});
