import assert from 'node:assert/strict';
import { readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { assertEnd, type Expected } from '../support/cli.js';
import { listing, type Pair, withPair } from '../support/pair.js';

/** All files of both directories, with locks and times. */
function everything(pair: Pair): string[] {
  return [pair.master, pair.slave].flatMap((directory) => listing(directory, { locks: true }));
}

interface Case {
  readonly name: string;
  readonly prepare: (pair: Pair) => void;
  readonly more?: readonly string[];
  readonly expected: Expected;
}

const CASES: readonly Case[] = [
  { name: 'there is no slave yet', prepare: () => {}, expected: { exit: 0, action: 'full' } },
  { name: 'there is nothing new', prepare: (pair) => pair.synced(), expected: { exit: 0, action: 'none' } },
  {
    name: 'the master has grown',
    prepare: (pair) => pair.synced().commit('more'),
    expected: { exit: 0, action: 'append', reason: 'the master has grown' },
  },
  {
    name: 'the slave was truncated',
    prepare: (pair) => truncateSync(pair.synced().slaveFile, 100),
    expected: { exit: 0, action: 'append' },
  },
  {
    name: 'the .dat is missing',
    prepare: (pair) => rmSync(pair.synced().dat),
    expected: { exit: 0, action: 'adopt' },
  },
  {
    name: 'the master was packed',
    prepare: (pair) => {
      pair.commit('again');
      pair.synced().site.pack();
    },
    expected: { exit: 0, action: 'rebuild' },
  },
  {
    name: '--full is given',
    prepare: (pair) => pair.synced(),
    more: ['--full'],
    expected: { exit: 0, action: 'rebuild' },
  },
  {
    name: '--full is given and the slave has grown',
    prepare: (pair) => pair.synced().commitToSlave('only here'),
    more: ['--full'],
    expected: { exit: 0, action: 'rebuild' },
  },
  {
    name: 'the slave has grown',
    prepare: (pair) => pair.synced().commitToSlave('only here'),
    expected: { exit: 3, action: 'refused' },
  },
  {
    name: 'the master is empty',
    prepare: (pair) => truncateSync(pair.synced().masterFile, 0),
    expected: { exit: 4, action: 'failed' },
  },
  {
    name: 'the master is missing',
    prepare: (pair) => rmSync(pair.synced().masterFile),
    expected: { exit: 1, action: 'failed' },
  },
  {
    name: 'syncing is switched off',
    prepare: (pair) => writeFileSync(pair.synced().statusFile, 'SYNCING=0\n'),
    expected: { exit: 0, action: 'off' },
  },
];

describe('--dry-run writes nothing, and reports what a run would do, when', () => {
  for (const { name, prepare, more = [], expected } of CASES)
    it(name, () =>
      withPair((pair) => {
        prepare(pair);
        const before = everything(pair);
        const run = pair.sync('--dry-run', ...more);
        assertEnd(run, expected);
        assert.equal(run.json.dryRun, true);
        assert.deepEqual(run.json.copied, { bytes: 0, transactions: 0, records: 0, chunks: 0, batches: 0 });
        assert.deepEqual(everything(pair), before);
        assert.doesNotMatch(run.stderr, /Finished syncing/);
      }),
    );

  it('there is no slave yet: it creates not even a lock file', () =>
    withPair((pair) => {
      pair.sync('--dry-run');
      assert.deepEqual(readdirSync(pair.slave), []);
    }));
});
