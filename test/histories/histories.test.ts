import { describe, it } from 'node:test';
import { seed } from '../zodb/settings.js';
import { runHistories } from './run-histories.js';

describe('random histories of two sides, judged by ZODB', () => {
  it('a source that is a true continuation is always followed, and the slave equals it', async (t) => {
    t.diagnostic(await runHistories(100, seed, 'innocent'));
  });

  it('nothing that only the slave has ever vanishes from its directory', async (t) => {
    t.diagnostic(await runHistories(250, seed, 'any'));
  });
});
