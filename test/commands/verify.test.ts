import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { assertNoCrash, type Run, syncpozo } from '../support/cli.js';
import { assertHolds } from '../support/holds.js';
import { type Pair, withPair } from '../support/pair.js';
import { verify } from '../support/verifying.js';

function run(pair: Pair, ...more: string[]): Run {
  const done = pair.unchanged(() => syncpozo(['verify', pair.slave, '--json', ...more]));
  assertNoCrash(done);
  assert.equal(done.json.exitCode, done.exit);
  assert.equal(done.json.ok, done.exit === 0);
  return done;
}

/** Changes one byte of a file, in place. */
function damage(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at] = bytes[at]! ^ 0x40;
  writeFileSync(path, bytes);
}

describe('verify', () => {
  it('reports a slave as intact after a sync, and changes nothing', () =>
    withPair((pair) => {
      pair.synced();
      const { exit, json } = run(pair);
      assert.equal(exit, 0);
      const size = readFileSync(pair.slaveFile).length;
      assertHolds(json, {
        path: pair.slaveFile,
        magic: 'FS30',
        size,
        committedEnd: size,
        tail: 'none',
      });
      assertHolds(json, { hashedBytes: size - 4, problems: [], problemCount: 0, against: null });
      assert.match(json.lastTid, /^[0-9a-f]{16}$/);
    }));

  it('finds one flipped data bit by its checksum, and prints it as text', () =>
    withPair((pair) => {
      pair.synced();
      const size = readFileSync(pair.slaveFile).length;
      damage(pair.slaveFile, size - 12);
      const { exit, json } = run(pair);
      assert.equal(exit, 4);
      assert.deepEqual(
        json.problems.map(({ rule, severity }: { rule: string; severity: string }) => [rule, severity]),
        [['checksum', 'unnoticed']],
      );
      const text = syncpozo(['verify', pair.slave]);
      assert.equal(text.exit, 4);
      assert.match(text.stdout, /problems: +1\n {2}at 4, transaction [0-9a-f]{16}: checksum: .*ZODB does not notice/);
      assert.match(text.stdout, /hint: keep this file as it is/);
    }));

  it('continues after damage, and finds later damage as well', () =>
    withPair(async (pair) => {
      pair.commit('a', 'b', 'c', 'd');
      const log = syncpozo(['log', pair.master, '--json', '-n', '9']).json.transactions;
      const [late, early] = [log[1], log[4]];
      damage(pair.masterFile, early.position + 9);
      damage(pair.masterFile, late.position + late.size - 3);
      const { problems, committedEnd, size } = await verify(pair.masterFile);
      assert.equal(committedEnd, size);
      assert.deepEqual(
        problems.map(({ position, rule, severity, tid }) => ({ position, rule, severity, tid })),
        [
          { position: early.position + 8, rule: 'transaction-length', severity: 'truncated', tid: early.tid },
          { position: late.position + late.size - 8, rule: 'trailer', severity: 'refused', tid: late.tid },
        ],
      );
    }));

  it('reports what a truncated slave lacks', () =>
    withPair((pair) => {
      pair.synced();
      truncateSync(pair.slaveFile, readFileSync(pair.slaveFile).length - 20);
      const { exit, json } = run(pair);
      assert.equal(exit, 4);
      const rules = json.problems.map(({ rule }: { rule: string }) => rule);
      assert.deepEqual(rules, ['dat', 'transaction-length', 'index']);
      assert.equal(json.tail, 'torn');
    }));

  it('checks a copy of a slave elsewhere, with its .dat', () =>
    withPair((pair) => {
      pair.synced();
      const copy = join(pair.directory, 'copy');
      mkdirSync(copy);
      for (const name of ['Data.fs', 'Data.fs.dat']) copyFileSync(join(pair.slave, name), join(copy, name));
      const done = syncpozo(['verify', copy, '--json']);
      assert.equal(done.exit, 0, done.all);
      assert.ok(done.json.hashedBytes > 0);
    }));

  it('reports an unusable .dat', () =>
    withPair((pair) => {
      pair.synced();
      writeFileSync(pair.dat, 'nonsense');
      const { exit, json } = run(pair);
      assert.equal(exit, 4);
      assert.match(json.problems[0].message, /not usable/);
    }));

  it('with --no-pointers checks structure and checksums only, and reports that', () =>
    withPair((pair) => {
      pair.synced();
      damage(`${pair.slaveFile}.index`, readFileSync(`${pair.slaveFile}.index`).length - 8);
      assert.equal(run(pair).exit, 4);
      const { exit, json } = run(pair, '--no-pointers');
      assert.equal(exit, 0);
      assertHolds(json, { pointers: false, index: 'unchecked', objects: null, problemCount: 0 });
      assert.ok(json.records > 0 && json.hashedBytes > 0);
      const text = syncpozo(['verify', pair.slave, '--no-pointers']).stdout;
      assert.match(text, /records\n(.*\n)*pointers: +not checked \(--no-pointers\)\nindex: +not checked/);
      damage(pair.slaveFile, readFileSync(pair.slaveFile).length - 12);
      const damaged = run(pair, '--no-pointers').json;
      assert.deepEqual([damaged.exitCode, damaged.problems[0].rule, damaged.problemCount], [4, 'checksum', 1]);
    }));

  it('reports a file with a transaction in flight as intact up to the last commit', () =>
    withPair(async (pair) => {
      pair.site.vote(pair.site.pages(new Map([[1, 'in flight']])));
      const { ok, tail, committedEnd, size } = await verify(pair.masterFile);
      assert.deepEqual({ ok, tail }, { ok: true, tail: 'in-flight' });
      assert.ok(committedEnd < size);
    }));

  for (const [what, write] of [
    ['empty', (path: string) => writeFileSync(path, '')],
    ['a text', (path: string) => writeFileSync(path, 'this is no database at all')],
  ] as const)
    it(`reports a file that is ${what} as no ZODB file`, () =>
      withPair((pair) => {
        write(pair.slaveFile);
        const { exit, json } = run(pair);
        assert.equal(exit, 4);
        assert.equal(json.problems[0].rule, 'magic');
      }));

  it('reports a missing path without a stack trace', () =>
    withPair((pair) => {
      const done = syncpozo(['verify', pair.slave]);
      assertNoCrash(done);
      assert.equal(done.exit, 2);
      assert.match(done.stderr, /does not exist\nhint: /);
    }));
});

describe('verify --against the master', () => {
  const against = (pair: Pair): Run => run(pair, '--against', pair.master);

  it('succeeds when both are equal or the slave is behind, and reports by how much', () =>
    withPair((pair) => {
      pair.synced();
      assertHolds(against(pair).json, { exitCode: 0, against: { relation: 'equal' } });
      const size = readFileSync(pair.slaveFile).length;
      pair.commit('new', 'newer');
      pair.site.vote(pair.site.pages(new Map([[1, 'in flight']])));
      const { json } = against(pair);
      const lag = { transactions: 2, bytes: json.against.masterEnd - size };
      assertHolds(json, { exitCode: 0, equalUpTo: size, against: { relation: 'behind', lag } });
      assertHolds(json, { onlyHere: { transactions: 0 }, onlyThere: { transactions: 2 } });
    }));

  it('refuses a slave with transactions of its own', () =>
    withPair((pair) => {
      pair.synced();
      pair.commitToSlave('only here');
      assertHolds(against(pair).json, {
        exitCode: 3,
        against: { relation: 'ahead' },
        onlyHere: { transactions: 1 },
      });
      pair.commit('only there');
      assertHolds(against(pair).json, {
        exitCode: 3,
        against: { relation: 'parted' },
        onlyHere: { transactions: 1 },
        onlyThere: { transactions: 1 },
      });
    }));

  it('finds a byte of data that differs, when no checksum shows which side is right', () =>
    withPair((pair) => {
      pair.synced();
      rmSync(pair.dat);
      const at = readFileSync(pair.slaveFile).length - 12;
      damage(pair.slaveFile, at);
      const { json } = against(pair);
      assertHolds(json, { exitCode: 4, against: { relation: 'differs', firstDifference: at } });
      assert.equal(json.problemCount, 0);
    }));

  it('asks for a sync after a pack of the master', () =>
    withPair((pair) => {
      pair.commit('again', 'and again');
      pair.synced();
      pair.site.pack();
      assertHolds(against(pair).json, { exitCode: 1, against: { relation: 'packed' } });
      pair.synced();
      assert.equal(against(pair).exit, 0);
    }));

  it('reports an unreachable master, or one that is no Data.fs', () =>
    withPair((pair) => {
      pair.synced();
      renameSync(pair.masterFile, `${pair.masterFile}.away`);
      assert.equal(against(pair).exit, 1);
      writeFileSync(pair.masterFile, '');
      const { exit, json } = against(pair);
      assert.equal(exit, 4);
      assert.match(json.against.problem, /is empty/);
    }));
});
