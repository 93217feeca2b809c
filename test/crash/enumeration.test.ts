import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { crashesOf } from './crashes.js';
import { Judge } from './judge.js';
import { fastDirectory } from './materialise.js';
import { badKinds, type Line, reportOf } from './report.js';
import { SCENARIOS } from './scenarios/index.js';
import { recordSwitch, switchProblems } from './switch-crashes.js';

/** Fewer would mean that a part of the model is asleep. */
const FEWEST_STATES = 20_000;

describe('every legal state of the disk after a crash', () => {
  const lines: Line[] = [];
  const counted = new Set<string>();
  let judge: Judge;

  before(() => {
    judge = new Judge(mkdtempSync(join(fastDirectory(), 'syncpozo-crash-')));
  });
  after(() => judge.close());

  for (const scenario of SCENARIOS) {
    it(`of: ${scenario.name}`, async () => {
      const line = await crashesOf(scenario, judge, { large: false, everyState: false }, counted);
      lines.push(line);
      assert.equal(line.bad.length, 0, badKinds(line.bad));
    });
  }

  it('of: the switch', async () => {
    for (const from of [undefined, 'on', 'off'] as const) {
      const record = await recordSwitch(join(judge.scratch, `switch-${from}`), from, 'off');
      assert.deepEqual(switchProblems(record, counted), []);
    }
  });

  it('was met', (t) => {
    for (const line of reportOf(lines)) t.diagnostic(line);
    assert.equal(lines.length, SCENARIOS.length);
    assert.ok(counted.size >= FEWEST_STATES, `${counted.size} distinct states`);
  });
});
