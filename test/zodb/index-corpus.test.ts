import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runIndex } from '../../src/commands/index.js';
import { ReadDeadline } from '../../src/pipeline/read-deadline.js';
import { SILENT } from '../../src/report/log.js';
import { fastDirectory } from '../crash/materialise.js';
import { beAlone } from '../support/alone.js';
import { describe, it } from '../support/apart.js';
import { loadCorpus } from './corpus.js';
import { IndexJudge } from './index-judge.js';

/** ZODB uses no index that covers less. */
const SMALLEST_COVERED = 100;
/** Only a position; an index with one entry is longer. */
const LONGEST_WITHOUT_ENTRIES = 20;

describe(import.meta.url, "the index of every state of ZODB's own storage tests", () => {
  it("equals ZODB's, rebuilt or refreshed from the state before", async (t) => {
    beAlone();
    const judge = new IndexJudge();
    const directory = mkdtempSync(join(fastDirectory(), 'syncpozo-index-'));
    const actions = new Map<string, number>();
    try {
      for (const [number, { name, states }] of loadCorpus(directory).entries()) {
        const place = join(directory, String(number));
        mkdirSync(place);
        for (const [at, { bytes, committedEnd }] of states.entries()) {
          const what = `${name}, state ${at}`;
          const data = join(place, 'Data.fs');
          writeFileSync(data, bytes);
          const { exitCode, action, reason } = await runIndex({
            path: data,
            file: 'Data.fs',
            workers: 0,
            chunkBytes: 512,
            log: SILENT,
            deadline: new ReadDeadline(30),
          });
          actions.set(action, 1 + (actions.get(action) ?? 0));
          assert.equal(exitCode, committedEnd === undefined ? 4 : 0, `${what}: ${reason}`);
          if (committedEnd === undefined) continue;
          const { used, twice } = await judge.scanAndOpen(data, `${data}.theirs`);
          const theirs = readFileSync(`${data}.theirs`);
          const isEmpty = theirs.length <= LONGEST_WITHOUT_ENTRIES;
          assert.equal(existsSync(`${data}.index`), !isEmpty, `${what}: ${action}`);
          if (!isEmpty) assert.deepEqual(readFileSync(`${data}.index`), theirs, `${what}: ${action}`);
          // Nor does it use one, not even its own, when the last transaction has an object twice.
          assert.equal(used, !isEmpty && committedEnd >= SMALLEST_COVERED && !twice, `${what}: FileStorage uses it`);
          assert.ok(!existsSync(`${data}.index.tmp`), what);
        }
      }
    } finally {
      rmSync(directory, { recursive: true });
      await judge.close();
    }
    t.diagnostic([...actions].map(([action, count]) => `${action} ${count}`).join(', '));
    for (const action of ['none', 'refreshed', 'built', 'failed'])
      assert.ok(actions.has(action), `no case of: ${action}`);
  });
});
