import { it } from 'node:test';
import { fixedSeed } from '../support/seed.js';
import { Judge } from '../zodb/judge.js';
import { chaos } from './chaos.js';

const SECONDS = 30;
const seed = fixedSeed(20_261_128);

it('a busy ZEO server, and syncs that are killed at any moment', async (t) => {
  const judge = new Judge();
  try {
    t.diagnostic(await chaos(judge, { seconds: SECONDS, seed, print: (line) => t.diagnostic(line) }));
  } finally {
    await judge.close();
  }
});
