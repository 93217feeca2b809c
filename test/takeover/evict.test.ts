import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { hasOpen, isDying } from '../../src/io/dying.js';
import { factsOfPath } from '../../src/io/facts.js';
import { Lock } from '../../src/standby/lock.js';
import { evict } from '../../src/takeover/evict.js';
import { heldByOther } from '../support/locks.js';
import { type Pair, withPair } from '../support/pair.js';

const pathOf = (pair: Pair): string => `${pair.slaveFile}.lock`;
const like = (pair: Pair) => factsOfPath(pair.slave)!;

function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return /^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return true;
  }
}

describe("taking the slave's lock for a promotion", () => {
  it('where it is free, tells others that a promotion is at work', () =>
    withPair(async (pair) => {
      const outcome = await evict(pathOf(pair), like(pair), 1);
      assert.equal(outcome.kind, 'held');
      assert.equal(outcome.evicted, undefined);
      assert.equal(readFileSync(pathOf(pair), 'utf8'), ` ${process.pid} syncpozo ${hostname()} promote\n`);
      outcome.lock.release();
    }));

  it('a sync that holds it is asked to end', () =>
    withPair(async (pair) => {
      await heldByOther(pair, 'syncpozo', async (pid) => {
        const outcome = await evict(pathOf(pair), like(pair), 10);
        assert.equal(outcome.kind, 'held');
        assert.deepEqual(outcome.evicted, { pid: String(pid), how: 'ended' });
        assert.ok(isGone(pid));
        outcome.lock.release();
      });
    }));

  it('a sync that does not end, because it was stopped, is killed', () =>
    withPair(async (pair) => {
      await heldByOther(pair, 'syncpozo', async (pid) => {
        process.kill(pid, 'SIGSTOP');
        // Until then a SIGTERM would still be obeyed.
        while (!/^State:\s*T/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))) await sleep(5);
        const outcome = await evict(pathOf(pair), like(pair), 0.2);
        assert.equal(outcome.kind, 'held');
        assert.deepEqual(outcome.evicted, { pid: String(pid), how: 'killed' });
        assert.ok(isGone(pid));
        outcome.lock.release();
      });
    }));

  it('another program that holds it is left alone', () =>
    withPair(async (pair) => {
      await heldByOther(pair, ' PID\n', async (pid) => {
        const outcome = await evict(pathOf(pair), like(pair), 0.1);
        assert.equal(outcome.kind, 'other');
        assert.ok(!isGone(pid));
      });
    }));

  it('an innocent process whose number stands in the lock file is left alone', () =>
    withPair(async (pair) => {
      const innocent = spawn('sleep', ['60'], { stdio: 'ignore' });
      try {
        await heldByOther(pair, ` ${innocent.pid} syncpozo ${hostname()}\n`, async (pid) => {
          const outcome = await evict(pathOf(pair), like(pair), 0.1);
          assert.equal(outcome.kind, 'other');
          assert.ok(!isGone(pid) && !isGone(innocent.pid!));
        });
      } finally {
        innocent.kill('SIGKILL');
        await once(innocent, 'exit');
      }
    }));

  it('a sync on another host is left alone', () =>
    withPair(async (pair) => {
      await heldByOther(pair, ' PID syncpozo another-host\n', async (pid) => {
        const outcome = await evict(pathOf(pair), like(pair), 0.1);
        assert.equal(outcome.kind, 'stays');
        assert.match(outcome.why, /another host/);
        assert.ok(!isGone(pid));
      });
    }));

  it('another promotion is waited for', () =>
    withPair(async (pair) => {
      await heldByOther(pair, ` PID syncpozo ${hostname()} promote\n`, async (pid) => {
        setTimeout(() => process.kill(pid, 'SIGINT'), 300);
        const outcome = await evict(pathOf(pair), like(pair), 0);
        assert.equal(outcome.kind, 'held');
        assert.equal(outcome.evicted, undefined, 'it was not sent a signal');
        outcome.lock.release();
      });
    }));
});

describe('a process that can never run again', () => {
  it('is none that merely sleeps, waits or was stopped, and none that is not there', async () => {
    assert.equal(isDying(String(process.pid)), false);
    assert.equal(isDying('999999999'), false);
    const sleeper = spawn('sleep', ['60'], { stdio: 'ignore' });
    assert.equal(isDying(String(sleeper.pid)), false);
    sleeper.kill('SIGSTOP');
    assert.equal(isDying(String(sleeper.pid)), false);
    sleeper.kill('SIGKILL');
    await once(sleeper, 'exit');
  });

  it('has a file open that it has open, and no other', () =>
    withPair((pair) => {
      const path = join(pair.directory, 'held');
      assert.equal(hasOpen(String(process.pid), path), false);
      const outcome = Lock.take(path, like(pair));
      assert.equal(outcome.kind, 'held');
      assert.equal(hasOpen(String(process.pid), path), true);
      renameSync(path, `${path}.away`);
      assert.equal(hasOpen(String(process.pid), path), false);
      outcome.lock.release();
      assert.equal(hasOpen('999999999', path), undefined);
    }));
});

describe('a lock file that is replaced', () => {
  it('is held from the moment at which it has its name', () =>
    withPair(async (pair) => {
      await heldByOther(pair, 'syncpozo', () => {
        const inode = String(statSync(pathOf(pair)).ino);
        const lock = Lock.replace(pathOf(pair), inode, like(pair), 'promote');
        assert.ok(lock);
        assert.notEqual(String(statSync(pathOf(pair)).ino), inode);
        assert.equal(Lock.take(pathOf(pair), like(pair)).kind, 'syncpozo');
        lock.release();
      });
      const outcome = Lock.take(pathOf(pair), like(pair));
      assert.equal(outcome.kind, 'held');
      outcome.lock.release();
    }));

  it('is not replaced again by somebody who meant the one before it', () =>
    withPair((pair) => {
      writeFileSync(pathOf(pair), '');
      const inode = String(statSync(pathOf(pair)).ino);
      const first = Lock.replace(pathOf(pair), inode, like(pair), 'promote');
      assert.ok(first);
      assert.equal(Lock.replace(pathOf(pair), inode, like(pair), 'promote'), undefined);
      first.release();
    }));
});
