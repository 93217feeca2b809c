import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { Judge } from './judge.js';
import { Pair } from './pair.js';
import { StorageUser } from './storage-user.js';
import { Zeo } from './zeo.js';

/** Large enough that the copying can be paused in the middle. */
const LARGE_MEGABYTES = 256;

describe('the lock of a slave', () => {
  let judge: Judge;
  let user: StorageUser;
  before(() => {
    judge = new Judge();
    user = new StorageUser();
  });
  after(() => Promise.all([judge.close(), user.close()]));

  it('a ZEO server that serves the slave blocks a sync: exit 5, not a byte changed', async () => {
    await Pair.with(async (pair) => {
      await user.grow(pair.master, 1);
      await pair.syncMust(0, 'the first sync');
      const bytes = readFileSync(pair.slave);
      const zeo = await Zeo.start({ directory: pair.directory, file: pair.slave, packKeepOld: true });
      try {
        await user.grow(pair.master, 1);
        await pair.syncMust(5, 'a sync while ZEO serves the slave');
        assert.ok(readFileSync(pair.slave).equals(bytes), 'the slave is untouched');
      } finally {
        await zeo.end();
      }
      await pair.syncMust(0, 'a sync after ZEO has ended');
      pair.assertInStep('after ZEO has ended');
      await judge.assertServes(pair.slave, 'the slave in the end');
    });
  });

  it('an open FileStorage and a bare zc.lockfile block a sync as well', async () => {
    await Pair.with(async (pair) => {
      await user.grow(pair.master, 1);
      await pair.syncMust(0, 'the first sync');
      await user.grow(pair.master, 1);
      const bytes = readFileSync(pair.slave);
      for (const use of ['open', 'lock'] as const) {
        const answer = await user[use](pair.slave);
        assert.equal(answer.error, undefined, JSON.stringify(answer));
        await pair.syncMust(5, `a sync while somebody holds the slave by ${use}`);
        assert.ok(readFileSync(pair.slave).equals(bytes), 'the slave is untouched');
        await user.release();
      }
      await pair.syncMust(0, 'a sync after the lock is free');
      pair.assertInStep('after the lock is free');
    });
  });

  it('a FileStorage and a ZEO server whose lock file was removed block a sync: exit 5, not a byte changed', async () => {
    await Pair.with(async (pair) => {
      await user.grow(pair.master, 1);
      await pair.syncMust(0, 'the first sync');
      await user.grow(pair.master, 1);
      const bytes = readFileSync(pair.slave);
      const isKeptOut = async (who: string): Promise<void> => {
        rmSync(`${pair.slave}.lock`);
        await pair.syncMust(5, `a sync while ${who} has the slave open`);
        assert.ok(readFileSync(pair.slave).equals(bytes), 'the slave is untouched');
      };
      assert.equal((await user.open(pair.slave)).error, undefined);
      await isKeptOut('FileStorage');
      await user.release();
      const zeo = await Zeo.start({ directory: pair.directory, file: pair.slave, packKeepOld: true });
      try {
        await isKeptOut('ZEO');
      } finally {
        await zeo.end();
      }
      await pair.syncMust(0, 'a sync after both have ended');
      pair.assertInStep('after both have ended');
    });
  });

  for (const [kind, firstMegabytes] of [
    ['the first copy', 0],
    ['an append', 1],
  ] as const) {
    it(`a sync in the middle of ${kind} blocks FileStorage, zc.lockfile, ZEO and another sync`, async () => {
      await Pair.with(async (pair) => {
        await prepare(pair, firstMegabytes);
        const before = firstMegabytes > 0 ? readFileSync(pair.slave).length : undefined;
        const exitCode = await pair.whileHeldUp(async () => {
          const seen = await judge.read(pair.slave);
          assert.equal('error' in seen ? undefined : seen.opensAt, before, 'a reader sees the state before the sync');
          assert.equal((await user.open(pair.slave)).error, 'LockError', 'FileStorage');
          assert.equal((await user.lock(pair.slave)).error, 'LockError', 'zc.lockfile');
          await assert.rejects(serve(pair), /LockError|lock/i, 'runzeo');
          const other = await pair.syncMust(0, 'another sync');
          assert.equal(other.action, 'busy');
        });
        assert.equal(exitCode, 0, 'exit status of the sync that was held up');
        pair.assertInStep('after the sync that was held up');
        assert.equal(
          (await user.open(pair.slave)).opensAt,
          readFileSync(pair.master).length,
          'FileStorage opens the slave',
        );
        await user.release();
        await (await serve(pair)).end();
        await pair.syncMust(0, 'one more sync');
      });
    });
  }

  it('a sync killed in the middle of an append leaves no lock, and the state before it', async () => {
    await Pair.with(async (pair) => {
      await prepare(pair, 1);
      const before = readFileSync(pair.slave).length;
      await pair.whileHeldUp(({ kill }) => kill());
      assert.equal((await user.open(pair.slave)).opensAt, before, 'FileStorage opens the state before');
      await user.release();
      await pair.syncMust(0, 'the next sync');
      pair.assertInStep('after the next sync');
      assert.equal((await pair.syncMust(0, 'the sync after it')).action, 'none');
    });
  });

  /** A slave of this many megabytes, in step, and a much larger master. */
  async function prepare(pair: Pair, firstMegabytes: number): Promise<void> {
    if (firstMegabytes > 0) {
      await user.grow(pair.master, firstMegabytes);
      await pair.syncMust(0, 'the first sync');
    }
    await user.grow(pair.master, LARGE_MEGABYTES);
  }

  function serve(pair: Pair): Promise<Zeo> {
    return Zeo.start({ directory: pair.directory, file: pair.slave, packKeepOld: true });
  }
});
