import { describe, it } from 'node:test';
import { fixedSeed } from '../support/seed.js';
import { PLAIN_CLASSES, runFileStorageTests, runMonteCarlo } from './own-tests.js';

describe("ZODB's own tests, with a slave", () => {
  it('FileStorage: a sync after each vote, finish, pack and close leaves an exact slave', async (t) => {
    t.diagnostic(await runFileStorageTests(PLAIN_CLASSES));
  });

  it('repozo: Monte Carlo, the backup replaced by a sync', async (t) => {
    t.diagnostic(await runMonteCarlo(25, fixedSeed(20_261_128)));
  });
});
