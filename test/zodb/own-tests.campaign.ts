import { it } from 'node:test';
import { drawnSeed } from '../support/seed.js';
import { PLAIN_CLASSES, runFileStorageTests, runMonteCarlo, WRAPPED_CLASSES } from './own-tests.js';

it("all of ZODB's FileStorage tests, with blobs and wrapped, with a slave", async (t) => {
  t.diagnostic(await runFileStorageTests([...PLAIN_CLASSES, ...WRAPPED_CLASSES]));
});

it('repozo: a hundred rounds of Monte Carlo', async (t) => {
  t.diagnostic(await runMonteCarlo(100, drawnSeed));
});
