import { it } from 'node:test';
import { drawnSeed } from '../support/seed.js';
import { runHistories } from './run-histories.js';

/** The number of histories; SYNCPOZO_HISTORIES. */
const count = Number(process.env.SYNCPOZO_HISTORIES ?? '3000');

it('thousands of random histories', async (t) => {
  t.diagnostic(await runHistories(count, drawnSeed, 'any'));
});
