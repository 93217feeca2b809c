import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { formatTid } from '../../src/filestorage/tid.js';
import { assertEnd, assertNoCrash, type Run, syncpozo } from '../support/cli.js';
import { listing, type Pair, withPair } from '../support/pair.js';
import { Site } from '../support/site.js';

/** Two storages in the master's directory: Data.fs, and another one with a later last transaction. */
async function withTwo(name: string, use: (two: Two) => void | Promise<void>): Promise<void> {
  await withPair(async (pair) => {
    const site = Site.create(join(pair.master, name), { clock: pair.clock });
    try {
      site.commit(site.pages(new Map([[1, `only in ${name}`]])));
      await use(new Two(pair, site, name));
    } finally {
      site.close();
    }
  });
}

class Two {
  readonly masterFile: string;
  readonly slaveFile: string;
  constructor(
    readonly pair: Pair,
    readonly site: Site,
    readonly name: string,
  ) {
    this.masterFile = join(pair.master, name);
    this.slaveFile = join(pair.slave, name);
  }

  run(...args: string[]): Run {
    const run = syncpozo([...args, '--json', ...(args[0] === 'verify' ? [] : ['--status-file', this.pair.statusFile])]);
    assertNoCrash(run);
    return run;
  }

  get lastTid(): string {
    return formatTid(this.site.transactions.at(-1)!.tid);
  }

  assertCopied(run: Run, action = 'full'): void {
    assertEnd(run, { exit: 0, action });
    assert.deepEqual([run.json.master.path, run.json.slave.path], [this.masterFile, this.slaveFile]);
    assert.ok(readFileSync(this.slaveFile).equals(readFileSync(this.masterFile)));
    assert.match(readFileSync(this.slaveFile, 'latin1'), new RegExp(`only in ${this.name}`));
  }
}

interface Way {
  readonly name: string;
  readonly master: (two: Two) => string;
  readonly slave: (two: Two) => string;
}
const WAYS: readonly Way[] = [
  { name: 'the master as a file', master: (two) => two.masterFile, slave: (two) => two.pair.slave },
  { name: 'the slave as a file', master: (two) => two.pair.master, slave: (two) => two.slaveFile },
];

for (const { name, master, slave } of WAYS)
  describe(`with ${name} and the other side as a directory, the directory's file has the same name:`, () => {
    it('sync, also before the slave exists', () =>
      withTwo('catalog.fs', (two) => {
        two.pair.synced();
        const before = listing(two.pair.slave);
        two.assertCopied(two.run('sync', master(two), slave(two)));
        assertEnd(two.run('sync', master(two), slave(two)), { exit: 0, action: 'none' });
        const others = listing(two.pair.slave).filter((line) => line.includes(' Data.fs'));
        assert.deepEqual(others, before, 'the other storage is untouched');
      }));

    it('verify --against', () =>
      withTwo('catalog.fs', (two) => {
        two.pair.synced();
        two.assertCopied(two.run('sync', two.masterFile, two.slaveFile));
        const run = two.run('verify', slave(two), '--against', master(two));
        assert.equal(run.exit, 0, run.all);
        const { path, lastTid, against } = run.json;
        assert.deepEqual([path, lastTid], [two.slaveFile, two.lastTid]);
        assert.deepEqual([against.path, against.relation], [two.masterFile, 'equal']);
      }));

    it('status --master', () =>
      withTwo('catalog.fs', (two) => {
        two.pair.synced();
        two.assertCopied(two.run('sync', two.masterFile, two.slaveFile));
        const run = two.run('status', slave(two), '--master', master(two));
        assert.equal(run.exit, 0, run.all);
        const { slave: path, claim, master: theirs } = run.json;
        assert.deepEqual([path, claim.tid], [two.slaveFile, two.lastTid]);
        assert.deepEqual([theirs.path, theirs.lastTid], [two.masterFile, two.lastTid]);
      }));

    it('promote --master', () =>
      withTwo('catalog.fs', (two) => {
        two.pair.synced();
        two.assertCopied(two.run('sync', two.masterFile, two.slaveFile));
        const run = two.run('promote', slave(two), '--master', master(two), '--patience', '10');
        assert.equal(run.exit, 0, run.all);
        const { promoted, slave: ours, loss } = run.json;
        assert.deepEqual([promoted, ours.path, ours.lastTid], [true, two.slaveFile, two.lastTid]);
        assert.deepEqual([loss.possible, loss.masterTid], [false, two.lastTid]);
      }));
  });

describe('the name of the file in a directory', () => {
  it('is that of --file, whatever the other side is', () =>
    withTwo('catalog.fs', (two) => {
      const { pair } = two;
      assertEnd(two.run('sync', two.masterFile, pair.slave, '--file', 'other'), { exit: 0, action: 'full' });
      assert.ok(readFileSync(join(pair.slave, 'other')).equals(readFileSync(two.masterFile)));
      assertEnd(two.run('sync', pair.master, join(pair.slave, 'copy.fs'), '--file', 'Data.fs'), { exit: 0 });
      assert.ok(readFileSync(join(pair.slave, 'copy.fs')).equals(readFileSync(pair.masterFile)));
      const run = two.run('verify', join(pair.slave, 'copy.fs'), '--against', pair.master, '--file', 'Data.fs');
      assert.deepEqual([run.exit, run.json.against.path], [0, pair.masterFile]);
      const promoted = two.run('promote', join(pair.slave, 'copy.fs'), '--master', pair.master, '--file', 'Data.fs');
      assert.deepEqual([promoted.exit, promoted.json.slave.path], [0, join(pair.slave, 'copy.fs')]);
    }));

  it('may lack .fs, if the file exists', () =>
    withTwo('zodb.data', (two) => {
      two.assertCopied(two.run('sync', two.masterFile, two.pair.slave));
      const run = two.run('promote', two.pair.slave, '--master', two.masterFile, '--patience', '10');
      assert.deepEqual([run.exit, run.json.slave.path, run.json.loss.masterTid], [0, two.slaveFile, two.lastTid]);
    }));

  it('is not that of another storage of the slave when a takeover does not find the named one', () =>
    withTwo('catalog.fs', (two) => {
      two.pair.synced();
      const run = two.run('promote', two.pair.slave, '--master', two.masterFile);
      assert.deepEqual([run.exit, run.json.promoted], [3, false]);
      assert.match(run.json.reason, /slave\/catalog\.fs is missing or empty/);
    }));

  it('is Data.fs when Data.fs is given, and when both are directories, whatever their names', () =>
    withPair((pair) => {
      const [master, slave] = [join(pair.directory, 'master.fs'), join(pair.directory, 'slave.fs')];
      mkdirSync(slave);
      renameSync(pair.master, master);
      const sync = (...sides: string[]) => syncpozo(['sync', ...sides, '--json', '--status-file', pair.statusFile]);
      assertEnd(sync(master, slave), { exit: 0, action: 'full' });
      assert.deepEqual(existsSync(join(slave, 'Data.fs')), true);
      assertEnd(sync(join(master, 'Data.fs'), slave), { exit: 0, action: 'none' });
      assertEnd(sync(master, join(slave, 'Data.fs')), { exit: 0, action: 'none' });
      renameSync(master, pair.master);
    }));

  it('of a missing master is in the message', () =>
    withPair((pair) => {
      pair.synced();
      const run = syncpozo([
        'sync',
        join(pair.master, 'catalog.fs'),
        pair.slave,
        '--json',
        '--status-file',
        pair.statusFile,
      ]);
      assertEnd(run, { exit: 1, action: 'failed', reason: /master\/catalog\.fs does not exist/ });
      assert.equal(run.json.slave.path, join(pair.slave, 'catalog.fs'));
    }));
});
