import assert from 'node:assert/strict';
import { rmSync, truncateSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { assertEnd, type Expected } from '../support/cli.js';
import { heldByOther } from '../support/locks.js';
import { type Pair, withPair } from '../support/pair.js';

type Shape = (value: unknown) => boolean;

const number: Shape = (value) => typeof value === 'number' && value >= 0;
const text: Shape = (value) => typeof value === 'string';
const flag: Shape = (value) => typeof value === 'boolean';
const path: Shape = (value) => typeof value === 'string' && value.startsWith('/');
const tid: Shape = (value) => typeof value === 'string' && /^[0-9a-f]{16}$/.test(value);
const time: Shape = (value) => typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value);
const orNull =
  (shape: Shape): Shape =>
  (value) =>
    value === null || shape(value);

const SIDE: Readonly<Record<string, Shape>> = {
  transactions: number,
  atLeast: flag,
  firstTid: orNull(tid),
  firstTime: orNull(time),
  lastTid: orNull(tid),
  lastTime: orNull(time),
};

const LAST = { lastTid: orNull(tid), lastTime: orNull(time) };

/** Every field of the result by group; '' is the top level. */
const GROUPS: Readonly<Record<string, Readonly<Record<string, Shape>>>> = {
  '': { action: text, reason: text, hint: orNull(text), exitCode: number, dryRun: flag, seconds: number },
  master: { path, size: orNull(number), committedEnd: orNull(number), ...LAST },
  slave: { path, size: orNull(number), claim: orNull(number), ...LAST },
  copied: { bytes: number, transactions: number, records: number, chunks: number, batches: number },
  scrubbed: { bytes: number, bad: number },
  lag: { seconds: orNull(number), transactions: orNull(number), bytes: orNull(number) },
};

const NULLABLE: Readonly<Record<string, Readonly<Record<string, Shape>>>> = {
  damage: { position: number, at: number, tid, rule: text, message: text, slaveToo: flag },
  onlyHere: SIDE,
  onlyThere: SIDE,
};

function assertGroup(name: string, group: Readonly<Record<string, unknown>>, shapes: Readonly<Record<string, Shape>>) {
  for (const [field, fits] of Object.entries(shapes))
    assert.ok(fits(group[field]), `${name} ${field} is ${JSON.stringify(group[field])}`);
}

function assertShape(json: Record<string, Record<string, unknown>>): void {
  for (const [name, shapes] of Object.entries(GROUPS))
    assertGroup(name, name === '' ? json : (json[name] ?? {}), shapes);
  for (const [name, shapes] of Object.entries(NULLABLE)) {
    assert.ok(name in json, `${name} is there`);
    if (json[name] !== null) assertGroup(name, json[name] ?? {}, shapes);
  }
}

interface Case {
  readonly prepare: (pair: Pair) => unknown;
  readonly expected: Expected;
  /** Values that the result must contain. */
  readonly check?: (json: Record<string, Record<string, unknown>>, pair: Pair) => void;
}

function assertInStep(json: Record<string, Record<string, unknown>>, pair: Pair): void {
  const end = pair.site.committedEnd;
  const { lastTid, lastTime } = json['slave'] ?? {};
  assert.deepEqual(json['slave'], { path: pair.slaveFile, size: end, claim: end, lastTid, lastTime });
  assert.deepEqual(json['master'], { path: pair.masterFile, size: end, committedEnd: end, lastTid, lastTime });
  assert.equal(lastTid, pair.site.lastTid.toString(16).padStart(16, '0'));
  assert.match(String(lastTime), /^2026-01-01T00:00:/);
  assert.deepEqual(json['lag'], { seconds: 0, transactions: 0, bytes: 0 });
}

const CASES: readonly Case[] = [
  {
    prepare: () => {},
    expected: { exit: 0, action: 'full' },
    check: (json, pair) => {
      assertInStep(json, pair);
      const bytes = pair.site.committedEnd - 4;
      assert.deepEqual(json['copied'], { bytes, transactions: 3, records: 5, chunks: 1, batches: 1 });
    },
  },
  { prepare: (pair) => pair.synced(), expected: { exit: 0, action: 'none' }, check: assertInStep },
  {
    prepare: (pair) => pair.synced().commit('more'),
    expected: { exit: 0, action: 'append' },
    check: (json, pair) => {
      assertInStep(json, pair);
      const { transactions, records, batches } = json['copied'] ?? {};
      assert.deepEqual([transactions, records, batches], [1, 1, 1]);
    },
  },
  {
    prepare: (pair) => {
      pair.commit('again');
      pair.synced().site.pack();
    },
    expected: { exit: 0, action: 'rebuild' },
    check: assertInStep,
  },
  { prepare: (pair) => rmSync(pair.synced().dat), expected: { exit: 0, action: 'adopt' }, check: assertInStep },
  { prepare: (pair) => writeFileSync(pair.statusFile, 'SYNCING=0\n'), expected: { exit: 0, action: 'off' } },
  { prepare: (pair) => pair.synced().commitToSlave('only here'), expected: { exit: 3, action: 'refused' } },
  { prepare: (pair) => rmSync(pair.masterFile), expected: { exit: 1, action: 'failed' } },
  { prepare: (pair) => truncateSync(pair.masterFile, 0), expected: { exit: 4, action: 'failed' } },
  { prepare: (pair) => rmSync(pair.slave, { recursive: true }), expected: { exit: 2, action: 'failed' } },
];

describe('sync --json prints one object with every field', () => {
  for (const { prepare, expected, check } of CASES)
    it(`when the action is ${expected.action}, exit status ${expected.exit}`, () =>
      withPair((pair) => {
        prepare(pair);
        const run = pair.sync();
        assertEnd(run, expected);
        assertShape(run.json);
        check?.(run.json, pair);
      }));

  it('when another program uses the slave', () =>
    withPair(async (pair) => {
      pair.synced();
      await heldByOther(pair, 'a text of another program', () => {
        const run = pair.sync();
        assertEnd(run, { exit: 5, action: 'refused' });
        assertShape(run.json);
      });
    }));

  it('when another sync runs', () =>
    withPair(async (pair) => {
      pair.synced();
      await heldByOther(pair, 'syncpozo', () => {
        const run = pair.sync();
        assertEnd(run, { exit: 0, action: 'busy' });
        assertShape(run.json);
      });
    }));
});
