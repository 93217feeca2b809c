import { join } from 'node:path';
import { it } from 'node:test';
import { withTempDir } from '../support/site.js';
import { loadCorpus } from './corpus.js';
import { Judge } from './judge.js';
import { type Counts, Replay } from './replay.js';
import { syncByProcess } from './syncer.js';

it("the command line follows every state of ZODB's own storage tests", async (t) => {
  const counts: Counts = new Map();
  const judge = new Judge();
  try {
    await withTempDir(async (directory) => {
      for (const [index, sequence] of loadCorpus(join(directory, 'corpus')).entries()) {
        await new Replay(join(directory, String(index)), syncByProcess, judge, counts).run(sequence);
      }
    });
  } finally {
    await judge.close();
  }
  t.diagnostic([...counts].map(([kind, count]) => `${kind} ${count}`).join(', '));
});
