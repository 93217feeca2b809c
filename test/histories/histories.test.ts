import { describe, it } from 'node:test';
import { fixedSeed } from '../support/seed.js';
import { runHistories } from './run-histories.js';

const seed = fixedSeed(20_261_128);

describe('random histories of two sides, judged by ZODB', () => {
  it('follow every source that is a true continuation, and the slave equals it', async (t) => {
    t.diagnostic(await runHistories(50, seed, 'innocent'));
  });

  it("keep in the slave's directory whatever only the slave has ever had", async (t) => {
    t.diagnostic(await runHistories(120, seed, 'any'));
  });
});
