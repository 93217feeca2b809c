import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { assertEnd, assertNoCrash, syncpozo } from '../support/cli.js';
import { heldByOther } from '../support/locks.js';
import { type Pair, withPair } from '../support/pair.js';
import { promoteArgs, roleOf } from '../support/promotion.js';

/** Promotes with a status file other than the pair's. */
function promoteWith(pair: Pair, statusFile: string, ...more: string[]) {
  const run = syncpozo(promoteArgs({ ...pair, slave: pair.slave, statusFile } as Pair, ...more));
  assertNoCrash(run);
  assert.equal(run.json.statusFile, statusFile);
  return run;
}

describe('a switch that cannot be written', () => {
  it('does not prevent a promotion: the role is set, and a warning names the file', () =>
    withPair((pair) => {
      const places: readonly (readonly [string, (path: string) => void])[] = [
        ['no-directory/status', () => {}],
        ['directory', (path) => mkdirSync(path)],
        ['not-a-directory/status', (path) => writeFileSync(join(path, '..'), 'a file')],
      ];
      for (const [name, put] of places) {
        const path = join(pair.directory, name);
        put(path);
        pair.synced();
        const run = promoteWith(pair, path);
        assert.deepEqual([run.exit, run.json.promoted, run.json.switch.written], [0, true, false], run.all);
        assert.equal(run.json.switch.file, path);
        assert.match(run.json.switch.problem, /\([A-Z]+\)$/);
        assert.ok(run.json.hint.includes(path), run.json.hint);
        assert.equal(roleOf(pair), 'master');
        // The role alone stops the sync.
        assertEnd(pair.sync('--full'), { exit: 0, action: 'off', reason: /promoted/ });
        const args = ['promote', pair.slave, '--status-file', path];
        assert.match(syncpozo(args).stdout, /^warning: the switch could not be written: .*\nhint: .*syncpozo off/m);
        assert.match(syncpozo([...args, '--quiet']).stderr, /^warning: the switch could not be written: /);
        assert.equal(syncpozo(['demote', pair.slave, '--status-file', pair.statusFile]).exit, 0);
      }
    }));

  it(
    'on a read-only disk is no obstacle, and causes no warning when it is already off',
    { skip: process.getuid?.() !== 0 && 'a mount needs root' },
    () =>
      withPair((pair) => {
        pair.synced();
        const path = '/sys/kernel/syncPozo.status';
        const run = promoteWith(pair, path);
        assert.deepEqual([run.exit, run.json.promoted, run.json.switch.left], [0, true, 'as found'], run.all);
        assert.match(run.json.switch.problem, /syncPozo\.status/);
      }),
  );

  it('with invalid content is overwritten as any other', () =>
    withPair((pair) => {
      pair.synced();
      writeFileSync(pair.statusFile, 'SYNCING=maybe\n');
      const run = promoteWith(pair, pair.statusFile);
      assert.deepEqual(run.json.switch, { file: pair.statusFile, written: true, problem: null, left: 'off' });
      assert.equal(readFileSync(pair.statusFile, 'utf8'), 'SYNCING=0\n');
      assert.equal(run.json.hint, null);
    }));
});

describe('a promotion that is refused', () => {
  it('leaves the switch as it was, and reports it', () =>
    withPair(async (pair) => {
      pair.synced();
      for (const text of ['SYNCING=1\n', 'SYNCING=0\n', 'nonsense', undefined]) {
        const path = join(pair.directory, `status-${text?.trim()}`);
        if (text !== undefined) writeFileSync(path, text, { mode: 0o664 });
        const before = text !== undefined && statSync(path);
        await heldByOther(pair, ' PID\n', () => {
          const run = promoteWith(pair, path);
          assert.deepEqual([run.exit, run.json.promoted], [5, false]);
          assert.deepEqual(run.json.switch, { file: path, written: false, problem: null, left: 'as found' });
          const refused = syncpozo(['promote', pair.slave, '--status-file', path]);
          assert.match(refused.stderr, /^the switch was left as it was found \(.*status/m);
        });
        if (before === false) assert.ok(!existsSync(path));
        else {
          assert.equal(readFileSync(path, 'utf8'), text);
          const { mode, uid, gid } = statSync(path);
          assert.deepEqual([mode, uid, gid], [before.mode, before.uid, before.gid]);
        }
      }
    }));

  it('reports that the switch is off when its previous content cannot be restored', () =>
    withPair((pair) => {
      const path = join(pair.directory, 'link');
      symlinkSync('nowhere', path);
      const run = promoteWith(pair, path);
      assert.deepEqual([run.exit, run.json.switch.left], [3, 'off']);
      assert.match(run.json.switch.problem, /could not be read/);
      assert.equal(readFileSync(path, 'utf8'), 'SYNCING=0\n');
    }));
});
