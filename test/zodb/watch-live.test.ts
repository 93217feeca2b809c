import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { renderWatched, watchUnderLoad } from './watch-live.js';

describe('a watch under load', () => {
  it('follows a real ZODB that commits and packs', async (test) => {
    const watched = await watchUnderLoad({ commitsASecond: 40, seconds: 12, packEverySeconds: 3, interval: '500ms' });
    test.diagnostic(renderWatched(watched));
    assert.ok(watched.commits > 50 && watched.packs > 1 && watched.rebuilds > 1, renderWatched(watched));
    assert.ok(
      watched.behind.some((seconds) => seconds > 0),
      'the samples can tell',
    );
  });
});
