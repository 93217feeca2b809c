import assert from 'node:assert/strict';
import { join } from 'node:path';
import { fastDirectory } from '../crash/materialise.js';
import { beAlone } from '../support/alone.js';
import { after, before, type Context, describe, it } from '../support/apart.js';
import { withTempDir } from '../support/site.js';
import { loadCorpus, type Sequence, type State } from './corpus.js';
import { Judge } from './judge.js';
import { type Counts, Replay } from './replay.js';
import { syncByProcess, syncInProcess } from './syncer.js';

/** States that a separate process syncs, as cron does; the campaign does so with all. Here the same function syncs the others. */
const BY_PROCESS = 120;

describe(import.meta.url, "every state of ZODB's own storage tests", () => {
  let judge: Judge;
  let corpus: Sequence[];

  before(async () => {
    beAlone();
    judge = new Judge();
    await withTempDir((directory) => {
      corpus = loadCorpus(directory);
    });
  });
  after(() => judge.close());

  it('is followed state by state, and the slave is exact and opens', async (t) => {
    const counts: Counts = new Map();
    await withTempDir(async (directory) => {
      for (const [index, sequence] of corpus.entries()) {
        const replay = new Replay(join(directory, String(index)), syncInProcess, judge, counts);
        await replay.run(sequence);
        if (hasTransactions(sequence)) await judge.assertServes(replay.slave, sequence.name);
      }
    }, fastDirectory());
    report(t, counts);
    for (const kind of ['full', 'append', 'none', 'rebuild', 'parted', 'damaged']) {
      assert.ok(counts.has(kind), `the corpus holds no case of: ${kind}`);
    }
  });

  it('is followed by the command line, in a sample', async (t) => {
    const counts: Counts = new Map();
    await withTempDir(async (directory) => {
      for (const [index, sequence] of sample(corpus, BY_PROCESS).entries()) {
        await new Replay(join(directory, String(index)), syncByProcess, judge, counts).run(sequence);
      }
    }, fastDirectory());
    report(t, counts);
  });

  it('a rolled back master, and another site, is refused until --full', async (t) => {
    const counts: Counts = new Map();
    await withTempDir(async (directory) => {
      for (const [index, sequence] of corpus.filter(hasTransactions).entries()) {
        const replay = new Replay(join(directory, String(index)), syncInProcess, judge, counts);
        const last = lastGood(sequence);
        const older = sequence.states.find((state) => isGood(state) && state.committedEnd !== last.committedEnd);
        const stranger = lastGood(corpus.filter(hasTransactions)[(index * 7 + 3) % 200]!);
        const how = index % 2 === 0 ? 'renamed over' : 'written over';
        await replay.replaceMaster(last, how, `${sequence.name}, its last state`);
        if (older) await replay.replaceMaster(older, how, `${sequence.name}, an older state ${how}`);
        await replay.replaceMaster(last, how, `${sequence.name}, its last state again`);
        await replay.replaceByStranger(stranger, how, `${sequence.name}, a stranger's file ${how}`);
      }
    }, fastDirectory());
    report(t, counts);
    for (const kind of ['append', 'parted']) assert.ok(counts.has(kind), `there was no case of: ${kind}`);
  });
});

function isGood(state: State): boolean {
  return state.committedEnd !== undefined && state.committedEnd > 4;
}

function hasTransactions(sequence: Sequence): boolean {
  return sequence.states.some(isGood) && sequence.states.every(({ committedEnd }) => committedEnd !== undefined);
}

function lastGood(sequence: Sequence): State {
  return sequence.states.findLast(isGood)!;
}

/** Whole sequences from all over the corpus, with about this many states. */
function sample(corpus: readonly Sequence[], states: number): Sequence[] {
  const all = corpus.reduce((sum, sequence) => sum + sequence.states.length, 0);
  const step = Math.ceil(all / states);
  return corpus.filter((_, index) => index % step === 0);
}

function report(t: Context, counts: Counts): void {
  t.diagnostic([...counts].map(([kind, count]) => `${kind} ${count}`).join(', '));
}
