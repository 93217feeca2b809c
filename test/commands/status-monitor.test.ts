import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { tidToTime } from '../../src/filestorage/tid.js';
import { assertNoCrash, type Run, Running, syncpozo } from '../support/cli.js';
import { heldByOther } from '../support/locks.js';
import { type Pair, withPair } from '../support/pair.js';

function statusOf(pair: Pair, ...more: string[]): Run {
  const run = syncpozo(['status', pair.slave, '--status-file', pair.statusFile, ...more]);
  assertNoCrash(run);
  return run;
}

/** Moves the last sync this far into the past: without a record of it the time of the `.dat` counts. */
function age(pair: Pair, seconds: number): void {
  const then = Date.now() / 1000 - seconds;
  rmSync(`${pair.slaveFile}.outcome`, { force: true });
  utimesSync(pair.dat, then, then);
}

/** Seconds since the master's last commit, by the test site's clock. */
function sinceCommit(pair: Pair): number {
  return Math.round((Date.now() - (tidToTime(pair.site.lastTid) ?? 0)) / 1000);
}

function assertState(run: Run, exit: number, line: RegExp): void {
  assert.equal(run.exit, exit, run.all);
  assert.match(run.stdout.split('\n')[0] ?? '', line, run.all);
}

describe('syncpozo status with thresholds is a monitoring plugin:', () => {
  it('a slave in step is OK, and its facts follow the first line', () =>
    withPair((pair) => {
      pair.synced();
      const run = statusOf(pair, '--master', pair.master, '--max-lag', '60,120', '--max-age', '1000');
      assertState(
        run,
        0,
        /^SYNCPOZO OK - lag 0 s, last sync \d+ s ago\|lag=0s;60;120;0 age=\d+s;;1000;0 kept_aside=0;;;0 lost_files=0;;;0$/,
      );
      assert.match(run.stdout, /^role: +slave$/m);
    }));

  it('a slave that lags is WARNING, then CRITICAL', () =>
    withPair((pair) => {
      pair.synced();
      pair.commit('one');
      const oldest = sinceCommit(pair);
      pair.commit('two', 'three');
      const lag = (limits: string) => statusOf(pair, '--master', pair.master, '--max-lag', limits);
      // The oldest missing transaction counts; the test may take some seconds.
      const words = new RegExp(`lag (${[0, 1, 2, 3, 4, 5].map((more) => oldest + more).join('|')}) s`);
      assertState(lag(`${oldest + 60}`), 0, new RegExp(`^SYNCPOZO OK - ${words.source}`));
      assertState(lag(`${oldest - 60},${oldest + 60}`), 1, new RegExp(`^SYNCPOZO WARNING - ${words.source}`));
      assertState(lag(`1,${oldest - 60}`), 2, new RegExp(`^SYNCPOZO CRITICAL - ${words.source}`));
    }));

  it('an old sync or full scrub is CRITICAL, and one that never ran is reported', () =>
    withPair((pair) => {
      assertState(
        statusOf(pair, '--max-age', '60'),
        2,
        /^SYNCPOZO CRITICAL - nothing is claimed: the \.dat is missing/,
      );
      pair.synced();
      age(pair, 100);
      assertState(statusOf(pair, '--max-age', '60'), 2, /^SYNCPOZO CRITICAL - last sync 1\d\d s ago\|age=1\d\ds;;60;0/);
      assertState(statusOf(pair, '--max-age', '60,9999'), 1, /^SYNCPOZO WARNING - last sync/);
      assertState(statusOf(pair, '--max-scrub-age', '60'), 1, /^SYNCPOZO WARNING - no full scrub yet/);
      pair.synced('--scrub', 'full');
      assertState(statusOf(pair, '--max-scrub-age', '9999'), 0, /^SYNCPOZO OK - .*last full scrub \d+ s ago/);
    }));

  it('reports states without a threshold as well: truncated, in use, switched off, without a .dat', () =>
    withPair(async (pair) => {
      pair.synced();
      const standing = () => statusOf(pair, '--max-age', '9999');
      await heldByOther(pair, ' PID\n', () => {
        assertState(standing(), 2, /^SYNCPOZO CRITICAL - another program has the slave open/);
      });
      writeFileSync(pair.statusFile, 'SYNCING=0\n');
      assertState(standing(), 1, /^SYNCPOZO WARNING - the switch is off/);
      writeFileSync(pair.statusFile, 'SYNCING=1\n');
      truncateSync(pair.slaveFile, 100);
      assertState(standing(), 2, /^SYNCPOZO CRITICAL - the slave has 100 bytes, \d+ are claimed/);
    }));

  for (const [what, state, cause] of [
    ['of which the slave has grown', 'forked', (pair: Pair) => void pair.commitToSlave('only here')],
    [
      'of which both have grown',
      'forked',
      (pair: Pair) => {
        pair.commitToSlave('only here');
        pair.commit('only there');
      },
    ],
    ['of which the master is empty', 'damaged', (pair: Pair) => truncateSync(pair.masterFile, 0)],
  ] as const) {
    it(`a pair ${what} is CRITICAL since then, ${state}, and has no lag`, () =>
      withPair((pair) => {
        pair.synced();
        cause(pair);
        assert.notEqual(pair.sync().exit, 0);
        const run = statusOf(pair, '--master', pair.master, '--max-age', '9999');
        assertState(run, 2, new RegExp(`^SYNCPOZO CRITICAL - ${state} since 20\\d\\d-`));
        assert.doesNotMatch(run.stdout, /\|(.* )?lag=/);
        const { exit, json } = statusOf(pair, '--master', pair.master, '--max-lag', '9999', '--json');
        assert.deepEqual([exit, json.state], [2, state]);
        assert.equal(json.lag?.seconds ?? null, null, 'the two are not on one line, so neither is behind');
      }));
  }

  it('a state that cannot be determined is UNKNOWN, on one line', () =>
    withPair((pair) => {
      pair.synced();
      rmSync(pair.masterFile);
      const lag = statusOf(pair, '--master', pair.master, '--max-lag', '60');
      assertState(lag, 3, /^SYNCPOZO UNKNOWN - lag not known: .*does not exist/);
      writeFileSync(pair.statusFile, 'garbage | in\nit');
      const unclear = statusOf(pair, '--max-age', '60');
      assertState(unclear, 3, /^SYNCPOZO UNKNOWN - status file .* holds "garbage \/ in\\nit", expected [^|]*$/);
      assert.deepEqual([unclear.stdout.split('\n').length, unclear.stderr], [2, '']);
    }));

  it('the verdict is a field in JSON, and the exit status is the same', () =>
    withPair((pair) => {
      pair.synced();
      assert.equal(statusOf(pair, '--json').json.check, null);
      age(pair, 100);
      const run = statusOf(pair, '--json', '--max-age', '60');
      assert.equal(run.exit, 2);
      const { state, exitCode, words } = run.json.check;
      assert.deepEqual([state, exitCode, words.length], ['CRITICAL', 2, 1]);
    }));

  it('refuses invalid thresholds', () =>
    withPair((pair) => {
      pair.synced();
      for (const wrong of ['', '-1', '9,3', 'soon', '1,2,3', '1:2', '1.5'])
        assert.equal(statusOf(pair, `--max-age=${wrong}`).exit, 2, wrong);
      const lag = statusOf(pair, '--max-lag', '60');
      assert.equal(lag.exit, 2);
      assert.match(lag.stderr, /--max-lag needs --master/);
      assert.equal(statusOf(pair, '--json', '--prometheus').exit, 2);
    }));
});

describe('files that rebuilds have kept', () => {
  it('appear in every form, with size and age, and cause a WARNING', () =>
    withPair((pair) => {
      pair.synced();
      const own = pair.commitToSlave('only here');
      pair.commit('something else');
      pair.synced('--full');
      const { json } = statusOf(pair, '--json');
      const name = `Data.fs.only-here-${own.toString(16).padStart(16, '0')}`;
      const path = join(pair.slave, name);
      assert.equal(json.keptAside.length, 1);
      const [kept] = json.keptAside;
      assert.deepEqual([kept.path, kept.size], [path, statSync(path).size]);
      assert.equal(kept.written, new Date(Math.floor(statSync(path).mtimeMs)).toISOString());
      assert.ok(kept.ageSeconds >= 0 && kept.ageSeconds < 1000);
      assert.match(statusOf(pair).stdout, new RegExp(`^kept aside: +${path}, .* last written 20`, 'm'));
      const metrics = statusOf(pair, '--prometheus').stdout;
      assert.match(metrics, /^syncpozo_kept_aside_files\{slave="[^"]*"\} 1$/m);
      assert.ok(metrics.includes(`syncpozo_kept_aside_bytes{slave="${pair.slaveFile}",path="${path}"} ${kept.size}\n`));
      assertState(statusOf(pair, '--max-age', '9999'), 1, /^SYNCPOZO WARNING - old slaves kept aside: 1,/);
    }));
});

describe('files of lost transactions', () => {
  const stem = 'lost-040d3aab1c2d3e44-040d3aab1c2d3e45';

  it('appear in every form, with the report, and cause a WARNING', () =>
    withPair((pair) => {
      pair.synced();
      const path = join(pair.slave, `${stem}.fs`);
      writeFileSync(path, 'FS30 and more');
      // What is no file of lost transactions: one that is being written, a blob directory, and a name of somebody else.
      for (const name of [`${stem}-2.fs.tmp`, 'lost-and-found.fs', `${stem}.json`])
        writeFileSync(join(pair.slave, name), '');
      mkdirSync(join(pair.slave, `${stem}-3.fs`));
      const [lost, ...others] = statusOf(pair, '--json').json.lostFiles;
      assert.deepEqual(others, []);
      assert.deepEqual(
        [lost.path, lost.size, lost.report, lost.firstTid, lost.lastTid],
        [path, 13, null, '040d3aab1c2d3e44', '040d3aab1c2d3e45'],
      );
      assert.match(statusOf(pair).stdout, new RegExp(`^lost: +${path}, .*; its report is gone$`, 'm'));
      writeFileSync(join(pair.slave, `${stem}.txt`), '');
      assert.match(statusOf(pair).stdout, new RegExp(`^lost: +${path}, .*; see ${pair.slave}/${stem}.txt$`, 'm'));
      const metrics = statusOf(pair, '--prometheus').stdout;
      assert.match(metrics, /^syncpozo_lost_files\{slave="[^"]*"\} 1$/m);
      assert.ok(metrics.includes(`syncpozo_lost_files_bytes{slave="${pair.slaveFile}",path="${path}"} 13\n`));
      assertState(statusOf(pair, '--max-age', '9999'), 1, /^SYNCPOZO WARNING - files of lost transactions: 1,/);
    }));
});

describe('syncpozo status --prometheus', () => {
  it('prints every known figure, and no unknown one', () =>
    withPair((pair) => {
      pair.synced();
      const end = pair.site.committedEnd;
      pair.commit('one');
      const oldest = sinceCommit(pair);
      pair.commit('two');
      const { exit, stdout } = statusOf(pair, '--prometheus', '--master', pair.master);
      assert.equal(exit, 0);
      const lag = Number(/^syncpozo_lag_seconds\{.*\} (\S+)$/m.exec(stdout)?.[1]);
      assert.ok(lag >= oldest - 1 && lag < oldest + 10, `${lag} of ${oldest}`);
      const label = `slave="${pair.slaveFile}"`;
      const expected = {
        [`syncpozo_role{${label},role="slave"}`]: 1,
        [`syncpozo_role{${label},role="promoted"}`]: 0,
        [`syncpozo_switch_on{${label}}`]: 1,
        [`syncpozo_locked_by{${label},holder="nobody"}`]: 1,
        [`syncpozo_claim_bytes{${label}}`]: end,
        [`syncpozo_size_bytes{${label}}`]: end,
        [`syncpozo_dat_usable{${label}}`]: 1,
        [`syncpozo_master_readable{${label}}`]: 1,
        [`syncpozo_lag_transactions{${label}}`]: 2,
        [`syncpozo_lag_bytes{${label}}`]: pair.site.committedEnd - end,
        [`syncpozo_kept_aside_files{${label}}`]: 0,
      };
      const lines = stdout.split('\n');
      for (const [sample, value] of Object.entries(expected)) assert.ok(lines.includes(`${sample} ${value}`), sample);
      assert.doesNotMatch(stdout, /scrub|null|NaN|undefined/);
      assert.doesNotMatch(statusOf(pair, '--prometheus').stdout, /lag|master_readable/);
    }));
});

describe('syncpozo status --output', () => {
  it('replaces the file atomically, readable for all', () =>
    withPair(async (pair) => {
      pair.synced();
      const directory = join(pair.directory, 'out');
      const path = join(pair.directory, 'syncpozo.prom');
      assert.equal(statusOf(pair, '--prometheus', '--output', path).stdout, '');
      assert.equal(statSync(path).mode & 0o777, 0o644);
      const args = ['status', pair.slave, '--status-file', pair.statusFile, '--prometheus', '--output', path];
      const turn = Running.start(args);
      const inode = statSync(path).ino;
      while (!turn.ended) {
        assert.match(readFileSync(path, 'utf8'), /^# HELP [\s\S]*syncpozo_lost_files\{.*\} 0\n$/);
        await new Promise((resolve) => setImmediate(resolve));
      }
      assertNoCrash(await turn.end());
      assert.notEqual(statSync(path).ino, inode);
      assert.deepEqual(
        readdirSync(pair.directory).filter((name) => name.startsWith('syncpozo')),
        ['syncpozo.prom'],
      );
      assert.equal(statusOf(pair, '--output', join(directory, 'nowhere')).exit, 1);
      assert.equal(existsSync(directory), false);
    }));

  it("leaves a plugin's first line on standard output", () =>
    withPair((pair) => {
      pair.synced();
      const run = statusOf(pair, '--max-age', '9999', '--output', join(pair.directory, 'status.txt'));
      assert.match(run.stdout, /^SYNCPOZO OK - [^\n]*\n$/);
    }));
});
