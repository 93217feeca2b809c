import { it } from 'node:test';
import { seed } from '../zodb/settings.js';
import { proveOracle } from './run-blobs.js';

it('the oracle of blobs finds each fault that needs no luck', async (t) => {
  t.diagnostic(await proveOracle('--seed', seed, '--faults', 'certain'));
});
