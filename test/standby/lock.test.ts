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

/** Takes the lock, which has to be free. */
function held(path: string): Lock {
  const outcome = take(path);
  assert.equal(outcome.kind, 'held');
  return outcome.lock;
}

/** Runs `use` while another process holds the lock; it is killed afterwards, or by `use`. */
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
    const [said] = await once(child.stdout!, 'data');
    assert.equal(String(said), 'held\n');
    await use(child.pid!, kill);
  } finally {
    await kill();
  }
}

/** Another program, which takes the same flock and writes nothing: as util-linux's flock. */
function other(path: string): [string, ...string[]] {
  return ['flock', '-x', '-n', '--no-fork', path, 'sh', '-c', 'echo held; exec sleep 600'];
}

describe('the lock', () => {
  it('is taken where nobody holds it, and says who holds it', async () => {
    await withLock((path) => {
      const lock = held(path);
      assert.equal(readFileSync(path, 'utf8'), ` ${process.pid} syncpozo ${hostname()}\n`);
      assert.equal(statSync(path).mode & 0o777, 0o644);
      lock.release();
    });
  });

  it('begins its text with the process id alone, as zc.lockfile does', async () => {
    await withLock((path) => {
      const lock = held(path);
      assert.equal(Number.parseInt(readFileSync(path, 'utf8').trim(), 10), process.pid);
      lock.release();
    });
  });

  it('can be taken again after its release; the file stays', async () => {
    await withLock((path) => {
      held(path).release();
      assert.ok(existsSync(path));
      held(path).release();
    });
  });

  it('replaces a text that is longer', async () => {
    await withLock((path) => {
      writeFileSync(path, `${'9'.repeat(500)}\n`);
      const lock = held(path);
      assert.equal(readFileSync(path, 'utf8'), ` ${process.pid} syncpozo ${hostname()}\n`);
      lock.release();
    });
  });

  it('is refused to flock(1), which is what zc.lockfile asks for, as long as it is held', async () => {
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

  it('that another syncpozo holds names it, and is free when that has been killed', async () => {
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

  it('that another program holds is told from a syncpozo, whatever is in the file', async () => {
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

  it('that a syncpozo on another host holds is that of a syncpozo', async () => {
    await withLock(async (path) => {
      writeFileSync(path, '');
      await whileHeld(other(path), () => {
        writeFileSync(path, ' 1 syncpozo another-host\n');
        assert.equal(take(path).kind, 'syncpozo');
      });
    });
  });
});

describe('looking at the lock', () => {
  it('leaves no trace, whether or not there is a file', async () => {
    await withLock((path) => {
      assert.equal(Lock.probe(path), undefined);
      assert.equal(existsSync(path), false);
      writeFileSync(path, ' 7\n');
      assert.equal(Lock.probe(path), undefined);
      assert.equal(readFileSync(path, 'utf8'), ' 7\n');
    });
  });

  it('does not keep it', async () => {
    await withLock((path) => {
      writeFileSync(path, '');
      Lock.probe(path);
      held(path).release();
    });
  });
});

describe('a lock file that is none', () => {
  it('is a fault when it is a symbolic link, and what it points to is not touched', async () => {
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
