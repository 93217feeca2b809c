import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { describe, it } from 'node:test';
import { assertEnd, type Expected } from '../support/cli.js';
import { listing, type Pair, withPair } from '../support/pair.js';

interface Case {
  readonly name: string;
  readonly spoil: (pair: Pair) => void;
  readonly expected: Expected;
}

const CASES: readonly Case[] = [
  {
    name: 'a master of 0 bytes',
    spoil: (pair) => truncateSync(pair.masterFile, 0),
    expected: { exit: 4, action: 'failed', reason: /master\/Data\.fs is empty$/, hint: /slave was not touched/ },
  },
  {
    name: 'a master of plain text',
    spoil: (pair) => writeFileSync(pair.masterFile, 'this is not a Data.fs, but a text of some length\n'),
    expected: { exit: 4, action: 'failed', reason: /is not a Data\.fs: it does not begin with FS21 or FS30/ },
  },
  {
    name: 'a master of 3 bytes',
    spoil: (pair) => truncateSync(pair.masterFile, 3),
    expected: { exit: 4, action: 'failed', reason: /is not a Data\.fs/ },
  },
  {
    name: 'a master of zeros',
    spoil: (pair) => writeFileSync(pair.masterFile, new Uint8Array(5000)),
    expected: { exit: 4, action: 'failed', reason: /is not a Data\.fs/ },
  },
  {
    name: "a master that ends inside its first transaction's header",
    spoil: (pair) => truncateSync(pair.masterFile, 20),
    expected: { exit: 4, action: 'failed', reason: /has 20 bytes, fewer than its first transaction/ },
  },
  {
    name: 'a master that ends inside its first transaction',
    spoil: (pair) => truncateSync(pair.masterFile, 60),
    expected: { exit: 4, action: 'failed', reason: /has 60 bytes, its first transaction alone ends at \d+/ },
  },
  {
    name: 'a master that is a directory',
    spoil: (pair) => {
      rmSync(pair.masterFile);
      mkdirSync(pair.masterFile);
    },
    expected: { exit: 4, action: 'failed', reason: /is a directory, not a Data\.fs/ },
  },
  {
    name: 'a master that is a pipe',
    spoil: (pair) => {
      rmSync(pair.masterFile);
      execFileSync('mkfifo', [pair.masterFile]);
    },
    expected: { exit: 4, action: 'failed', reason: /not a Data\.fs/ },
  },
  {
    name: 'a master whose directory is empty',
    spoil: (pair) => rmSync(pair.masterFile),
    expected: {
      exit: 1,
      action: 'failed',
      reason: /^master out of reach: .*Data\.fs does not exist$/,
      hint: /mounted/,
    },
  },
  {
    name: 'a master whose directory is missing',
    spoil: (pair) => rmSync(pair.master, { recursive: true }),
    expected: { exit: 1, action: 'failed', reason: /^master out of reach: .*master does not exist$/, hint: /mounted/ },
  },
];

describe('sync leaves the slave unchanged, and reports the cause, with', () => {
  it('an unusable master', (test) =>
    withPair(async (pair) => {
      pair.synced();
      const good = readFileSync(pair.masterFile);
      for (const { name, spoil, expected } of CASES)
        await test.test(name, () => {
          spoil(pair);
          const there = existsSync(pair.master);
          const both = () => [listing(pair.slave), there ? listing(pair.master) : []];
          const before = both();
          assertEnd(pair.sync(), expected);
          assert.deepEqual(both(), before);
          rmSync(pair.master, { recursive: true, force: true });
          mkdirSync(pair.master);
          writeFileSync(pair.masterFile, good);
        });
      pair.assertRepairs();
    }));
});

describe('sync creates no slave', () => {
  for (const { name, spoil, expected } of CASES.slice(0, 2))
    it(`from ${name}`, () =>
      withPair((pair) => {
        spoil(pair);
        assertEnd(pair.sync(), expected);
        assert.deepEqual(readdirSync(pair.slave).sort(), ['Data.fs.events', 'Data.fs.lock', 'Data.fs.outcome']);
      }));

  it('from an unreachable master, and creates one once it is back', () =>
    withPair((pair) => {
      const away = `${pair.master}.away`;
      renameSync(pair.master, away);
      assertEnd(pair.sync(), { exit: 1, action: 'failed' });
      assert.deepEqual(readdirSync(pair.slave).sort(), ['Data.fs.lock', 'Data.fs.outcome']);
      renameSync(away, pair.master);
      pair.assertRepairs();
    }));
});

describe('a master with an incomplete end', () => {
  it('in flight: everything before the transaction is copied, and the transaction itself once it has finished', () =>
    withPair((pair) => {
      pair.synced();
      const end = pair.site.committedEnd;
      pair.site.vote(pair.site.pages(new Map([[1, 'in flight']])));
      const run = pair.unchanged(() => pair.sync('--dry-run'));
      assertEnd(run, { exit: 0, action: 'none' });
      pair.assertNothingNew();
      pair.site.finish();
      const next = pair.sync();
      assertEnd(next, { exit: 0, action: 'append', hint: null });
      assert.ok(next.json.slave.claim > end);
      pair.assertInStep();
    }));

  it('truncated in its last transaction: the complete ones are copied, and the third run reports damage', () =>
    withPair((pair) => {
      pair.synced();
      pair.commit('whole');
      const end = pair.site.committedEnd;
      pair.commit('cut short');
      truncateSync(pair.masterFile, pair.site.committedEnd - 5);
      for (const exit of [0, 0, 4]) {
        const run = pair.sync();
        assertEnd(run, { exit });
        assert.equal(run.json.slave.claim, end);
        if (exit === 4) assert.equal(run.json.damage.position, end);
      }
    }));
});
