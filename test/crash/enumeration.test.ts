import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from '../support/apart.js';
import { enumerateAll } from './all-scenarios.js';
import { lostProblems, recordLost } from './lost-crashes.js';
import { promotionProblems, recordPromotions } from './promotion-crashes.js';
import { reportOf } from './report.js';
import { recordRestores, restoreProblems } from './restore-crashes.js';
import { recordRoleChanges, roleChangeProblems } from './role-crashes.js';
import { SCENARIOS } from './scenarios/index.js';
import { recordSwitch, recordSwitchPutBack, switchProblems } from './switch-crashes.js';

/** Fewer states mean that a part of the model is not exercised. */
const FEWEST_STATES = 20_000;

describe(import.meta.url, 'every legal state of the disk after a crash', () => {
  const scenarios = SCENARIOS.filter(({ rare }) => !rare);
  const { lines, counted, judge } = enumerateAll(
    () => ({ large: false, everyState: false, everySync: false }),
    scenarios,
  );

  it('of: what was lost, and extract', async () => {
    for (const record of await recordLost(join(judge().scratch, 'lost')))
      assert.deepEqual(lostProblems(record, counted), []);
  });

  it('of: the switch', async () => {
    for (const from of [undefined, 'on', 'off'] as const) {
      const record = await recordSwitch(join(judge().scratch, `switch-${from}`), from, 'off');
      assert.deepEqual(switchProblems(record, counted), []);
      const back = await recordSwitchPutBack(join(judge().scratch, `switch-back-${from}`), from);
      assert.deepEqual(switchProblems(back, counted), []);
    }
  });

  it('of: promotion, demotion and conversion of an old role', async (t) => {
    const before = counted.size;
    for (const record of await recordPromotions(judge()))
      assert.deepEqual(await promotionProblems(record, judge(), counted), []);
    for (const record of await recordRoleChanges(judge()))
      assert.deepEqual(await roleChangeProblems(record, judge(), counted), []);
    t.diagnostic(`${counted.size - before} distinct states`);
  });

  it('of: a restore to a new file', async (t) => {
    const before = counted.size;
    for (const record of await recordRestores(judge())) assert.deepEqual(restoreProblems(record, counted), []);
    t.diagnostic(`${counted.size - before} distinct states`);
  });

  it('is covered', (t) => {
    for (const line of reportOf(lines)) t.diagnostic(line);
    assert.equal(lines.length, scenarios.length);
    assert.ok(counted.size >= FEWEST_STATES, `${counted.size} distinct states`);
  });
});
