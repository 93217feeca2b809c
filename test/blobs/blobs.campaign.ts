import { it } from 'node:test';
import { drawnSeed } from '../support/seed.js';
import { proveOracle, runBlobs } from './run-blobs.js';

/** The number of histories with blobs; SYNCPOZO_BLOB_HISTORIES. */
const count = process.env.SYNCPOZO_BLOB_HISTORIES ?? '500';

it('hundreds of random histories with blobs', async (t) => {
  t.diagnostic(await runBlobs('--count', count, '--seed', drawnSeed));
});

it('the oracle finds each fault of its stand-in', async (t) => {
  t.diagnostic(await proveOracle('--seed', drawnSeed));
});
