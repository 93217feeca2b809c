import assert from 'node:assert/strict';
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { assertEnd, type Run, syncpozo } from '../support/cli.js';
import { heldByOther } from '../support/locks.js';
import { listing, type Pair, withPair } from '../support/pair.js';
import { needsMounts, withMounts } from '../support/powers.js';

interface Recorded {
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly exit: number;
  readonly action: string;
  readonly reason: string;
  readonly inStep: number | undefined;
  readonly trouble: string | undefined;
  readonly since: number | undefined;
}

const outcomeOf = (pair: Pair): string => `${pair.slaveFile}.outcome`;

/** Reads the record independently of the program. */
function recorded(pair: Pair): Recorded {
  const fields = new Map<string, string[]>();
  for (const line of readFileSync(outcomeOf(pair), 'utf8').split('\n')) {
    const [name = '', ...rest] = line.split(' ');
    fields.set(name, rest);
  }
  const [time = '', exit, action = ''] = fields.get('last') ?? [];
  const [inStep = ''] = fields.get('in-step') ?? [];
  const [trouble, since] = fields.get('trouble') ?? [];
  return {
    time: Date.parse(time),
    exit: Number(exit),
    action,
    reason: JSON.parse(fields.get('reason')?.join(' ') ?? '') as string,
    inStep: inStep === 'never' ? undefined : Date.parse(inStep),
    trouble: trouble === 'none' ? undefined : trouble,
    since: since === undefined ? undefined : Date.parse(since),
  };
}

/** Runs a sync and asserts that its record agrees with what it reported, and with this clock. */
function syncRecorded(pair: Pair, ...more: string[]): Recorded {
  const before = Date.now();
  const { json } = pair.sync(...more);
  const record = recorded(pair);
  assert.ok(record.time >= before && record.time <= Date.now(), 'the time is that of the run');
  assert.deepEqual([record.exit, record.action, record.reason], [json.exitCode, json.action, json.reason]);
  assert.equal(record.trouble === undefined, json.exitCode === 0);
  if (json.exitCode === 0) assert.equal(record.inStep, record.time);
  return record;
}

interface Failing {
  readonly name: string;
  readonly fail: (pair: Pair) => void;
  readonly exit: number;
  readonly trouble: string;
}

const FAILING: readonly Failing[] = [
  { name: 'the master is missing', fail: (pair) => rmSync(pair.masterFile), exit: 1, trouble: 'out-of-reach' },
  {
    name: "the master's directory is missing",
    fail: (pair) => renameSync(pair.master, `${pair.master}.away`),
    exit: 1,
    trouble: 'out-of-reach',
  },
  {
    name: 'the slave has grown',
    fail: (pair) => void pair.commitToSlave('only here'),
    exit: 3,
    trouble: 'refused',
  },
  {
    name: 'both sides have grown',
    fail: (pair) => {
      pair.commitToSlave('only here');
      pair.commit('only there');
    },
    exit: 3,
    trouble: 'forked',
  },
  { name: 'the master is empty', fail: (pair) => truncateSync(pair.masterFile, 0), exit: 4, trouble: 'damaged' },
  {
    name: 'a transaction of the master is marked as in flight, and finished ones follow',
    fail: (pair) => {
      const end = pair.site.committedEnd;
      pair.commit('one', 'two');
      const bytes = readFileSync(pair.masterFile);
      bytes[end + 16] = 0x63;
      writeFileSync(pair.masterFile, bytes);
    },
    exit: 4,
    trouble: 'damaged',
  },
  {
    name: 'a directory has the name of the temporary .dat',
    fail: (pair) => {
      mkdirSync(`${pair.dat}.tmp`);
      pair.commit('more');
    },
    exit: 1,
    trouble: 'fault',
  },
];

describe('a sync records how it ended', () => {
  it('in step: a first copy, nothing new, an append, a rebuild, an adoption', () =>
    withPair((pair) => {
      assert.equal(syncRecorded(pair).action, 'full');
      assert.equal(syncRecorded(pair).action, 'none');
      pair.commit('more');
      assert.equal(syncRecorded(pair).action, 'append');
      pair.commit('again');
      syncRecorded(pair);
      assert.equal(syncRecorded(pair, '--full').action, 'rebuild');
      rmSync(pair.dat);
      assert.equal(syncRecorded(pair).action, 'adopt');
      assert.deepEqual(
        readdirSync(pair.slave).filter((name) => name.includes('.outcome')),
        ['Data.fs.outcome'],
      );
    }));

  for (const { name, fail, exit, trouble } of FAILING)
    it(`${name}: ${trouble}, since the first of these runs, and the last time in step stays`, () =>
      withPair((pair) => {
        const good = syncRecorded(pair);
        fail(pair);
        const first = syncRecorded(pair);
        assert.deepEqual([first.exit, first.trouble, first.since], [exit, trouble, first.time]);
        const second = syncRecorded(pair);
        assert.ok(second.time > first.time);
        assert.deepEqual([second.trouble, second.since, second.inStep], [trouble, first.time, good.time]);
      }));

  it('in use: while another program holds the lock; the next run is in step', () =>
    withPair(async (pair) => {
      const good = syncRecorded(pair);
      await heldByOther(pair, ' PID\n', () => {
        const first = syncRecorded(pair);
        assert.deepEqual([first.exit, first.trouble, first.since], [5, 'in-use', first.time]);
        const second = syncRecorded(pair);
        assert.deepEqual([second.since, second.inStep], [first.time, good.time]);
      });
      assert.equal(syncRecorded(pair).trouble, undefined);
    }));

  it('another kind of trouble starts a new period', () =>
    withPair((pair) => {
      syncRecorded(pair);
      const away = `${pair.masterFile}.away`;
      renameSync(pair.masterFile, away);
      syncRecorded(pair);
      renameSync(away, pair.masterFile);
      pair.commitToSlave('only here');
      const refused = syncRecorded(pair);
      assert.deepEqual([refused.trouble, refused.since], ['refused', refused.time]);
    }));
});

describe('sync records nothing', () => {
  it('in a dry run, when switched off, and when another sync runs', () =>
    withPair(async (pair) => {
      pair.synced();
      const all = () => listing(pair.slave, { locks: true }).filter((line) => line.includes('.outcome'));
      const before = all();
      assert.equal(before.length, 1);
      pair.commit('more');
      assertEnd(pair.sync('--dry-run'), { exit: 0, action: 'append' });
      writeFileSync(pair.statusFile, 'SYNCING=0\n');
      assertEnd(pair.sync(), { exit: 0, action: 'off' });
      rmSync(pair.statusFile);
      await heldByOther(pair, 'syncpozo', () => assertEnd(pair.sync(), { exit: 0, action: 'busy' }));
      assert.deepEqual(all(), before);
    }));

  it('beside a master that was also given as the slave', () =>
    withPair((pair) => {
      const before = listing(pair.master, { locks: true });
      const run = syncpozo(['sync', pair.master, pair.master, '--json', '--status-file', pair.statusFile]);
      assertEnd(run, { exit: 2, action: 'failed', reason: /same file/ });
      assert.deepEqual(listing(pair.master, { locks: true }), before);
    }));
});

describe('the time in step', () => {
  it('is that of the .dat when an older version left no record, and a failed run keeps it', () =>
    withPair((pair) => {
      pair.synced();
      rmSync(outcomeOf(pair));
      const then = Math.floor(Date.now() / 1000) - 500;
      utimesSync(pair.dat, then, then);
      assert.equal(Date.parse(statusOf(pair).json.lastSync), then * 1000);
      // This run publishes a .dat but does not end in step.
      const end = pair.site.committedEnd;
      pair.commit('sound', 'damaged', 'behind it');
      const bytes = readFileSync(pair.masterFile);
      const second = end + Number(bytes.readBigUInt64BE(end + 8)) + 8;
      bytes[second + 16] = 0x63;
      writeFileSync(pair.masterFile, bytes);
      const { exit, inStep } = syncRecorded(pair);
      assert.deepEqual([exit, inStep], [4, then * 1000]);
      assert.equal(Date.parse(statusOf(pair).json.lastSync), then * 1000);
    }));

  it('is the time that promote reports, not that of a failed run', () =>
    withPair((pair) => {
      const { inStep } = syncRecorded(pair);
      rmSync(pair.masterFile);
      syncRecorded(pair);
      utimesSync(pair.dat, 1e9, 1e9);
      const run = syncpozo(['promote', pair.slave, '--json', '--status-file', pair.statusFile]);
      assert.equal(run.exit, 0, run.all);
      assert.equal(Date.parse(run.json.lastSync), inStep);
    }));
});

describe('a record that cannot be written never fails a run', () => {
  it("when a directory has its name: one warning, and the run's result is unchanged", () =>
    withPair((pair) => {
      mkdirSync(join(outcomeOf(pair), 'not empty'), { recursive: true });
      for (const [action, exit] of [
        ['full', 0],
        ['none', 0],
        ['failed', 1],
      ] as const) {
        if (exit === 1) rmSync(pair.masterFile);
        const run = pair.sync();
        assertEnd(run, { exit, action });
        assertOneWarning(run, /Data\.fs\.outcome/);
      }
    }));

  it('on a read-only file system, where the run itself fails', { skip: needsMounts ?? false }, () =>
    withPair((pair) => {
      pair.synced();
      const mount = join(pair.directory, 'mount');
      mkdirSync(mount);
      const through = withMounts(`mount --bind ${pair.slave} ${mount}\nmount -o remount,bind,ro ${mount}`);
      const run = syncpozo(['sync', pair.master, mount, '--json', '--status-file', pair.statusFile], { through });
      assertEnd(run, { exit: 1, action: 'failed', reason: /EROFS/ });
      assertOneWarning(run, /EROFS/);
    }),
  );

  it('and a record that cannot be read is replaced', () =>
    withPair((pair) => {
      pair.synced();
      writeFileSync(outcomeOf(pair), 'half a rec');
      rmSync(pair.masterFile);
      const record = syncRecorded(pair);
      assert.deepEqual([record.trouble, record.since, record.inStep], ['out-of-reach', record.time, undefined]);
    }));
});

function assertOneWarning(run: Run, message: RegExp): void {
  const warnings = run.records.filter(({ level }) => level === 'warn').map(({ msg }) => msg);
  assert.equal(warnings.length, 1, run.all);
  assert.match(warnings[0] ?? '', message);
}

function statusOf(pair: Pair): Run {
  return syncpozo(['status', pair.slave, '--json', '--status-file', pair.statusFile]);
}
