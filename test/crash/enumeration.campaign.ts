import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { crashesOf } from './crashes.js';
import { Judge } from './judge.js';
import { fastDirectory } from './materialise.js';
import { badKinds, reportOf } from './report.js';
import { SCENARIOS } from './scenarios/index.js';

describe('every crash during the recovery from every crash', () => {
  const counted = new Set<string>();
  let judge: Judge;

  before(() => {
    judge = new Judge(mkdtempSync(join(fastDirectory(), 'syncpozo-crash-')));
  });
  after(() => judge.close());

  for (const scenario of SCENARIOS) {
    it(`of: ${scenario.name}`, async (t) => {
      const line = await crashesOf(scenario, judge, { large: true, everyState: !scenario.large }, counted);
      t.diagnostic(reportOf([line])[0]!);
      assert.equal(line.bad.length, 0, badKinds(line.bad));
    });
  }
});
