import { describe, it } from 'node:test';
import { fixedSeed } from '../support/seed.js';
import { runBlobs } from './run-blobs.js';

/** No history begins after this time; the last one ends some seconds later. */
const SECONDS = ['25', '12'] as const;

const seed = fixedSeed(20_261_128);

describe("blobs of all transactions that the slave's Data.fs shows, judged by ZODB", () => {
  it('are there and are what was committed, after every sync and after every SIGKILL', async (t) => {
    t.diagnostic(await runBlobs('--seconds', SECONDS[0], '--seed', seed, '--storage', 'file,zlib'));
  });

  it('also beside a ZEO server, with its blob directory shared and through its protocol', async (t) => {
    t.diagnostic(await runBlobs('--seconds', SECONDS[1], '--seed', seed, '--storage', 'zeo shared,zeo cache'));
  });
});
