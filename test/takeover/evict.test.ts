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
  it('succeeds when it is free, and names the promotion in it', () =>
    withPair(async (pair) => {
      const outcome = await evict(pathOf(pair), like(pair), 1);
      assert.equal(outcome.kind, 'held');
      assert.equal(outcome.evicted, undefined);
      assert.equal(readFileSync(pathOf(pair), 'utf8'), ` ${process.pid} syncpozo ${hostname()} promote\n`);
      outcome.lock.release();
    }));

  it('asks a sync that holds it to end', () =>
    withPair(async (pair) => {
      await heldByOther(pair, 'syncpozo', async (pid) => {
        const outcome = await evict(pathOf(pair), like(pair), 10);
        assert.equal(outcome.kind, 'held');
        assert.deepEqual(outcome.evicted, { pid: String(pid), how: 'ended' });
        assert.ok(isGone(pid));
        outcome.lock.release();
      });
    }));

  it('kills a stopped sync, which does not end', () =>
    withPair(async (pair) => {
      await heldByOther(pair, 'syncpozo', async (pid) => {
        process.kill(pid, 'SIGSTOP');
        // Until then the sync would still react to SIGTERM.
        while (!/^State:\s*T/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))) await sleep(5);
        const outcome = await evict(pathOf(pair), like(pair), 0.2);
        assert.equal(outcome.kind, 'held');
        assert.deepEqual(outcome.evicted, { pid: String(pid), how: 'killed' });
        assert.ok(isGone(pid));
        outcome.lock.release();
      });
    }));

  it('leaves another program that holds it alone', () =>
    withPair(async (pair) => {
      await heldByOther(pair, ' PID\n', async (pid) => {
        const outcome = await evict(pathOf(pair), like(pair), 0.1);
        assert.equal(outcome.kind, 'other');
        assert.ok(!isGone(pid));
      });
    }));

  it('leaves an unrelated process alone whose id is in the lock file', () =>
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

  it('leaves a sync on another host alone', () =>
    withPair(async (pair) => {
      await heldByOther(pair, ' PID syncpozo another-host\n', async (pid) => {
        const outcome = await evict(pathOf(pair), like(pair), 0.1);
        assert.equal(outcome.kind, 'stays');
        assert.match(outcome.why, /another host/);
        assert.ok(!isGone(pid));
      });
    }));

  it('waits for another promotion', () =>
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
  it('is neither one that sleeps, waits or was stopped, nor a missing one', async () => {
    assert.equal(isDying(String(process.pid)), false);
    assert.equal(isDying('999999999'), false);
    const sleeper = spawn('sleep', ['60'], { stdio: 'ignore' });
    assert.equal(isDying(String(sleeper.pid)), false);
    sleeper.kill('SIGSTOP');
    assert.equal(isDying(String(sleeper.pid)), false);
    sleeper.kill('SIGKILL');
    await once(sleeper, 'exit');
  });

  it('has its own open files open, and no others', () =>
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
  it('is held from the moment it gets its name', () =>
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

  it('is not replaced again by a process that meant its predecessor', () =>
    withPair((pair) => {
      writeFileSync(pathOf(pair), '');
      const inode = String(statSync(pathOf(pair)).ino);
      const first = Lock.replace(pathOf(pair), inode, like(pair), 'promote');
      assert.ok(first);
      assert.equal(Lock.replace(pathOf(pair), inode, like(pair), 'promote'), undefined);
      first.release();
    }));
});
