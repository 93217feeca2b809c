import { it } from 'node:test';
import { fixedSeed } from '../support/seed.js';
import { proveOracle } from './run-blobs.js';

it('the oracle of blobs finds each fault that needs no luck', async (t) => {
  t.diagnostic(await proveOracle('--seed', fixedSeed(20_261_128), '--faults', 'certain'));
});
