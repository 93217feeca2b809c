import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withPair } from '../support/pair.js';
import { Random } from '../support/random.js';
import { verify } from '../support/verifying.js';

const ROUNDS = 12;

describe('verify reports no damage', () => {
  it('of a slave that syncs append to and rebuild meanwhile, nor of its live master', () =>
    withPair(async (pair) => {
      const random = new Random(5);
      pair.synced();
      for (let round = 0; round < ROUNDS; round++) {
        pair.commit(`round ${round}`, 'more', 'and more');
        if (round % 3 === 2) pair.site.pack();
        const sync = pair.startSync(...(round % 4 === 3 ? ['--full'] : []));
        let stopped = false;
        const committing = (async () => {
          while (!stopped) {
            const inFlight = random.below(2) === 0;
            if (inFlight) pair.site.vote(pair.site.pages(new Map([[1, 'x'.repeat(random.below(5000))]])));
            await new Promise((resolve) => setTimeout(resolve, random.below(4)));
            if (inFlight && random.below(2) === 0) pair.site.abort();
            else if (inFlight) pair.site.finish();
          }
        })();
        while (!sync.ended) {
          for (const path of [pair.slave, pair.master]) {
            const result = await verify(path);
            assert.deepEqual(result.problems, [], `round ${round}, ${path}, ${JSON.stringify(result)}`);
          }
        }
        stopped = true;
        await committing;
        assert.equal((await sync.end()).exit, 0);
      }
    }));
});
