import { it } from 'node:test';
import { Judge } from '../zodb/judge.js';
import { seed } from '../zodb/settings.js';
import { chaos } from './chaos.js';

const SECONDS = 60;

it('a busy ZEO server, and syncs that are killed at any moment', async (t) => {
  const judge = new Judge();
  try {
    t.diagnostic(await chaos(judge, { seconds: SECONDS, seed, print: (line) => t.diagnostic(line) }));
  } finally {
    await judge.close();
  }
});
