import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Judge } from './judge.js';
import { fastDirectory } from './materialise.js';
import { type RejoinRecord, recordRejoins, rejoinAfter, rejoinProblems } from './rejoin-crashes.js';
import { REJOINS } from './rejoin-scenarios.js';

/** The run that follows a death at any moment is interrupted at any moment as well. */
describe('every crash of the rejoin that follows every death of a rejoin', () => {
  let judge: Judge;
  let records: RejoinRecord[];
  before(async () => {
    judge = new Judge(mkdtempSync(join(fastDirectory(), 'syncpozo-rejoin-')));
    records = await recordRejoins(judge);
  });
  after(() => judge.close());

  for (const [index, { name }] of REJOINS.entries())
    it(`of an old master ${name}`, async (t) => {
      const first = records[index];
      assert.ok(first);
      const [seen, recovered] = [new Set<string>(), new Set<string>()];
      assert.deepEqual(await rejoinProblems(first, judge, seen, undefined, recovered), []);
      for (let point = -1; point < first.changes.length; point++) {
        const again = await rejoinAfter(first, point, judge);
        assert.deepEqual(await rejoinProblems(again, judge, seen, undefined, recovered), []);
      }
      t.diagnostic(`${seen.size} distinct states`);
    });
});
