import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { everything, namesIn } from '../support/everything.js';
import { promtool } from '../support/monitor-tools.js';
import { get, served } from '../support/monitored.js';
import { withTempDir } from '../support/site.js';
import { scripts } from './shell.js';

const RULES = join(scripts, 'prometheus', 'syncpozo.rules.yml');

/** Values in the notation of promtool, one a minute: `x` repeats, `+` adds. */
type Series = Readonly<Record<string, string>>;

const MINUTES = 120;
const DAY = 86_400;
/** Always the time itself. */
const NOW = `0+60x${MINUTES}`;
const always = (value: number): string => `${value}x${MINUTES}`;
/** Stopped at the end of the first minute. */
const STOPPED = always(60);

const LABELS = 'job="syncpozo",instance="m2:9177",storage="main",slave="/srv/Data.fs"';

/** What a watch of a slave in step has. */
const IN_STEP: Series = {
  'up{job="syncpozo",instance="m2:9177"}': always(1),
  syncpozo_status_time_seconds: NOW,
  syncpozo_status_readable: always(1),
  syncpozo_in_step_as_of_time_seconds: NOW,
  syncpozo_last_sync_time_seconds: NOW,
  syncpozo_last_full_scrub_time_seconds: NOW,
  syncpozo_blobs_last_full_scrub_time_seconds: NOW,
  syncpozo_switch_on: always(1),
  syncpozo_dat_usable: always(1),
  syncpozo_lag_seconds: always(0),
  syncpozo_blobs_missing: always(0),
  syncpozo_blobs_usable: always(1),
  syncpozo_kept_aside_files: always(0),
  syncpozo_scrubbed_bad_total: always(0),
  'syncpozo_role role=slave': always(1),
  'syncpozo_role role=promoted': always(0),
  'syncpozo_role role=superseded': always(0),
  'syncpozo_state state=in-step': always(1),
  'syncpozo_state state=refused': always(0),
  'syncpozo_state state=forked': always(0),
  'syncpozo_state state=damaged': always(0),
};

const PROMOTED: Series = {
  'syncpozo_role role=slave': always(0),
  'syncpozo_role role=promoted': always(1),
  'syncpozo_state state=in-step': always(0),
  syncpozo_in_step_as_of_time_seconds: STOPPED,
  syncpozo_last_sync_time_seconds: STOPPED,
  syncpozo_switch_on: always(0),
  syncpozo_last_full_scrub_time_seconds: always(-31 * DAY),
};

interface Scene {
  readonly series: Series;
  /** All alerts that fire after two hours. */
  readonly alerts: readonly string[];
  /** Series that are not there. */
  readonly without?: RegExp;
}

const SCENES: Readonly<Record<string, Scene>> = {
  'in step': { series: {}, alerts: [] },
  'in step, with a lag for a moment': { series: { syncpozo_lag_seconds: `0x100 500 0x18` }, alerts: [] },
  'in step, by the textfile of cron': {
    series: { syncpozo_last_sync_time_seconds: NOW },
    without: /^(up|syncpozo_status_readable|syncpozo_in_step|syncpozo_scrubbed)/,
    alerts: [],
  },
  'no metrics at all': { series: {}, without: /./, alerts: ['SyncpozoNoFigures'] },
  'the watch is down': {
    series: { 'up{job="syncpozo",instance="m2:9177"}': always(0) },
    without: /^syncpozo_/,
    alerts: ['SyncpozoDown', 'SyncpozoNoFigures'],
  },
  'a textfile that nobody writes': {
    series: { syncpozo_status_time_seconds: STOPPED, syncpozo_last_sync_time_seconds: STOPPED },
    without: /^(up|syncpozo_status_readable|syncpozo_in_step|syncpozo_scrubbed)/,
    alerts: ['SyncpozoFiguresStale', 'SyncpozoNotInStep'],
  },
  'files that cannot be read': {
    series: { syncpozo_status_readable: always(0) },
    without: /^syncpozo_(state|role|lag|switch|last|blobs|kept|dat|status_time)/,
    alerts: ['SyncpozoUnreadable'],
  },
  'stale: not in step any more': {
    series: { syncpozo_in_step_as_of_time_seconds: `0+60x100 6000x19` },
    alerts: ['SyncpozoNotInStep'],
  },
  'just not in step': { series: { syncpozo_in_step_as_of_time_seconds: `0+60x118 7080x1` }, alerts: [] },
  refused: {
    series: { 'syncpozo_state state=refused': always(1), 'syncpozo_state state=in-step': always(0) },
    alerts: ['SyncpozoRefused'],
  },
  forked: { series: { 'syncpozo_state state=forked': always(1) }, alerts: ['SyncpozoRefused'] },
  damaged: { series: { 'syncpozo_state state=damaged': always(1) }, alerts: ['SyncpozoDamaged'] },
  'a lag': { series: { syncpozo_lag_seconds: always(61) }, alerts: ['SyncpozoLag'] },
  'nothing claimed': { series: { syncpozo_dat_usable: always(0) }, alerts: ['SyncpozoNothingClaimed'] },
  'a mount that hangs': {
    series: { syncpozo_hung_since_time_seconds: STOPPED },
    alerts: ['SyncpozoMasterHangs'],
  },
  'blobs missing': { series: { syncpozo_blobs_missing: always(2) }, alerts: ['SyncpozoBlobsMissing'] },
  'a blob directory that is gone': { series: { syncpozo_blobs_usable: always(0) }, alerts: ['SyncpozoBlobsNotThere'] },
  'a disk that changes bytes': {
    series: { syncpozo_scrubbed_bad_total: `0x100 3x19` },
    alerts: ['SyncpozoScrubFoundDamage'],
  },
  'a scrub too long ago': {
    series: { syncpozo_last_full_scrub_time_seconds: always(-30 * DAY) },
    alerts: ['SyncpozoScrubTooOld'],
  },
  'a scrub of blobs too long ago': {
    series: { syncpozo_blobs_last_full_scrub_time_seconds: always(-30 * DAY) },
    alerts: ['SyncpozoScrubTooOld'],
  },
  'kept files': { series: { syncpozo_kept_aside_files: always(1) }, alerts: ['SyncpozoKeptFiles'] },
  'the switch is off for long': {
    series: { syncpozo_switch_on: always(0), syncpozo_in_step_as_of_time_seconds: STOPPED },
    alerts: ['SyncpozoSwitchOff'],
  },
  'the switch is off for a short time': { series: { syncpozo_switch_on: `1x100 0x19` }, alerts: [] },
  'superseded by the other side': {
    series: { 'syncpozo_role role=slave': always(0), 'syncpozo_role role=superseded': always(1) },
    alerts: ['SyncpozoSuperseded'],
  },
  'promoted, which ends the syncs': { series: PROMOTED, alerts: ['SyncpozoPromoted'] },
};

/** `name label=value` with the labels that all have. */
function seriesOf(key: string): string {
  if (key.includes('{')) return key;
  const [name = '', own] = key.split(' ');
  return `${name}{${LABELS}${own === undefined ? '' : `,${own.replace(/=(.*)/, '="$1"')}`}}`;
}

function testOf([name, { series, alerts, without }]: readonly [string, Scene]): object {
  const all = Object.entries({ ...IN_STEP, ...series }).filter(([key]) => !without?.test(key) || key in series);
  const expected = alerts.map((alert) => ({ labels: `{alertname="${alert}"}`, value: 1 }));
  return {
    name,
    interval: '1m',
    input_series: all.map(([key, values]) => ({ series: seriesOf(key), values })),
    promql_expr_test: [
      {
        expr: 'count by (alertname) (ALERTS{alertstate="firing"}) > 0',
        eval_time: `${MINUTES}m`,
        exp_samples: expected,
      },
    ],
  };
}

/** Runs scenes against rules with promtool; JSON is YAML. */
function play(directory: string, rules: string, scenes: Readonly<Record<string, Scene>>) {
  const path = join(directory, 'test.yml');
  const file = { rule_files: [rules], evaluation_interval: '1m', tests: Object.entries(scenes).map(testOf) };
  writeFileSync(path, JSON.stringify(file));
  return promtool.run(['test', 'rules', path]);
}

describe('the alert rules', { skip: promtool.skip }, () => {
  it('pass promtool check rules', () => {
    const { status, output } = promtool.run(['check', 'rules', '--lint=all', '--lint-fatal', RULES]);
    assert.equal(status, 0, output);
  });

  it('fire for what they are for, and for nothing else', () =>
    withTempDir((directory) => {
      for (const [name, scene] of Object.entries(SCENES)) {
        const { status, output } = play(directory, RULES, { [name]: scene });
        assert.equal(status, 0, `${name}: ${output}`);
      }
    }));

  it('each have a scene in which they fire', () => {
    const named = [...readFileSync(RULES, 'utf8').matchAll(/- alert: (\w+)/g)].map(([, name]) => name);
    const played = new Set(Object.values(SCENES).flatMap(({ alerts }) => alerts));
    assert.deepEqual([...played].sort(), named.sort());
  });

  it('and a rule that does not fire would be found', () =>
    withTempDir((directory) => {
      const broken = join(directory, 'rules.yml');
      writeFileSync(
        broken,
        readFileSync(RULES, 'utf8').replace('syncpozo_lag_seconds > 60', 'syncpozo_lag_seconds > 90'),
      );
      const { 'a lag': lag, 'in step': inStep } = SCENES;
      assert.equal(play(directory, broken, { inStep: inStep! }).status, 0);
      assert.notEqual(play(directory, broken, { lag: lag! }).status, 0);
    }));

  it('name only metrics that a watch has', async (t) => {
    const { port } = await served(t, everything());
    const known = namesIn((await get(port, '/metrics')).text);
    const expressions = readFileSync(RULES, 'utf8').replace(/^ *#.*$/gm, '');
    for (const [name] of expressions.matchAll(/\bsyncpozo_\w+/g)) assert.ok(known.has(name), name);
  });
});
