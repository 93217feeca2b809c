import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Judge } from './judge.js';
import { fastDirectory } from './materialise.js';
import { type RejoinRecord, recordRejoins, rejoinProblems } from './rejoin-crashes.js';
import { REJOINS } from './rejoin-scenarios.js';

describe('every legal state of the disk after a crash of a rejoin', () => {
  const scenarios = REJOINS.filter(({ rare }) => !rare);
  let judge: Judge;
  let records: RejoinRecord[];
  before(async () => {
    judge = new Judge(mkdtempSync(join(fastDirectory(), 'syncpozo-rejoin-')));
    records = await recordRejoins(judge, scenarios);
  });
  after(() => judge.close());

  for (const [index, { name }] of scenarios.entries())
    it(`of an old master ${name}`, async (t) => {
      const of = records[index];
      assert.ok(of);
      const seen = new Set<string>();
      assert.deepEqual(await rejoinProblems(of, judge, seen), []);
      t.diagnostic(`${of.changes.length} changes, ${seen.size} distinct states`);
      assert.ok(seen.size > 100, `${seen.size} distinct states`);
    });
});
