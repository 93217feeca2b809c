import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { factsOfPath } from '../../src/io/facts.js';
import { IoFault } from '../../src/io/fault.js';
import { Lock } from '../../src/standby/lock.js';
import { inProject } from '../support/root.js';
import { withTempDir } from '../support/site.js';

const HOLDER = inProject('dist', 'test', 'support', 'holder.js');

function withLock(use: (path: string, directory: string) => void | Promise<void>): Promise<void> {
  return withTempDir((directory) => use(join(directory, 'Data.fs.lock'), directory));
}

function take(path: string): ReturnType<typeof Lock.take> {
  return Lock.take(path, factsOfPath(join(path, '..'))!);
}

/** Takes the lock, which must be free. */
function held(path: string): Lock {
  const outcome = take(path);
  assert.equal(outcome.kind, 'held');
  return outcome.lock;
}

/** Calls `use` while another process holds the lock; that one is killed afterwards, or by `use`. */
async function whileHeld(
  command: readonly [string, ...string[]],
  use: (pid: number, kill: () => Promise<void>) => void | Promise<void>,
): Promise<void> {
  const [program, ...args] = command;
  const child: ChildProcess = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  };
  try {
    const [output] = await once(child.stdout!, 'data');
    assert.equal(String(output), 'held\n');
    await use(child.pid!, kill);
  } finally {
    await kill();
  }
}

/** Another program, which takes the same flock and writes nothing, like util-linux's flock. */
function other(path: string): [string, ...string[]] {
  return ['flock', '-x', '-n', '--no-fork', path, 'sh', '-c', 'echo held; exec sleep 600'];
}

describe('the lock', () => {
  it('is taken when it is free, and names its holder', async () => {
    await withLock((path) => {
      const lock = held(path);
      assert.equal(readFileSync(path, 'utf8'), ` ${process.pid} syncpozo ${hostname()}\n`);
      assert.equal(statSync(path).mode & 0o777, 0o644);
      lock.release();
    });
  });

  it('begins its text with the process id, as zc.lockfile does', async () => {
    await withLock((path) => {
      const lock = held(path);
      assert.equal(Number.parseInt(readFileSync(path, 'utf8').trim(), 10), process.pid);
      lock.release();
    });
  });

  it('can be taken again after its release, and the file stays', async () => {
    await withLock((path) => {
      held(path).release();
      assert.ok(existsSync(path));
      held(path).release();
    });
  });

  it('replaces a longer text', async () => {
    await withLock((path) => {
      writeFileSync(path, `${'9'.repeat(500)}\n`);
      const lock = held(path);
      assert.equal(readFileSync(path, 'utf8'), ` ${process.pid} syncpozo ${hostname()}\n`);
      lock.release();
    });
  });

  it('blocks flock(1), and thereby zc.lockfile, while it is held', async () => {
    await withLock((path) => {
      const lock = held(path);
      const attempt = () => spawnSync('flock', ['-x', '-n', path, 'true']).status;
      assert.equal(attempt(), 1);
      lock.release();
      assert.equal(attempt(), 0);
    });
  });

  it('is held once within one process, too', async () => {
    await withLock((path) => {
      const lock = held(path);
      assert.equal(take(path).kind, 'syncpozo');
      lock.release();
    });
  });

  it('held by another syncpozo names it, and is free when that one has been killed', async () => {
    await withLock(async (path, directory) => {
      await whileHeld([process.execPath, HOLDER, path, directory], async (pid, kill) => {
        const outcome = take(path);
        assert.deepEqual(outcome, { kind: 'syncpozo', holder: `${pid} syncpozo ${hostname()}` });
        assert.deepEqual(Lock.probe(path), outcome);
        await kill();
        assert.equal(Lock.probe(path), undefined);
        held(path).release();
      });
    });
  });

  it("held by another program is not mistaken for a syncpozo's, whatever the file contains", async () => {
    await withLock(async (path) => {
      writeFileSync(path, '');
      await whileHeld(other(path), (pid) => {
        for (const text of [
          '',
          ` ${pid}\n`,
          'garbage\n',
          `999999999 syncpozo ${hostname()}\n`,
          'x'.repeat(1000),
          '\0\xff',
        ]) {
          writeFileSync(path, text);
          const outcome = take(path);
          assert.equal(outcome.kind, 'other', JSON.stringify(text));
          assert.equal(readFileSync(path, 'utf8'), text, "somebody else's text is not changed");
        }
      });
    });
  });

  it("held by a syncpozo on another host counts as a syncpozo's", async () => {
    await withLock(async (path) => {
      writeFileSync(path, '');
      await whileHeld(other(path), () => {
        writeFileSync(path, ' 1 syncpozo another-host\n');
        assert.equal(take(path).kind, 'syncpozo');
      });
    });
  });
});

describe('a probe of the lock', () => {
  it('leaves no trace, with and without a lock file', async () => {
    await withLock((path) => {
      assert.equal(Lock.probe(path), undefined);
      assert.equal(existsSync(path), false);
      writeFileSync(path, ' 7\n');
      assert.equal(Lock.probe(path), undefined);
      assert.equal(readFileSync(path, 'utf8'), ' 7\n');
    });
  });

  it('does not keep the lock', async () => {
    await withLock((path) => {
      writeFileSync(path, '');
      Lock.probe(path);
      held(path).release();
    });
  });
});

describe('an invalid lock file', () => {
  it('is a fault when it is a symbolic link, and its target is not touched', async () => {
    await withLock((path, directory) => {
      writeFileSync(join(directory, 'target'), 'text');
      symlinkSync('target', path);
      assert.throws(() => take(path), IoFault);
      assert.equal(readFileSync(join(directory, 'target'), 'utf8'), 'text');
    });
  });

  it('is a fault when it is a directory', async () => {
    await withLock((path) => {
      mkdirSync(path);
      assert.throws(() => take(path), IoFault);
    });
  });
});
