import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assertEnd, assertNoCrash, syncpozo } from '../support/cli.js';
import { withPair } from '../support/pair.js';

const GIVEN = 'zope@m1:/zeo/var';
const MESSAGE = `${GIVEN} is not a path of this machine`;

describe('a path on another machine is a usage error with a hint', () => {
  it('as MASTER or SLAVE of a sync, which does nothing', () =>
    withPair((pair) => {
      pair.synced();
      const more = ['--json', '--status-file', pair.statusFile];
      for (const sides of [
        [GIVEN, pair.slave],
        [pair.master, GIVEN],
      ]) {
        const run = pair.unchanged(() => syncpozo(['sync', ...sides, ...more]));
        assertEnd(run, { exit: 2, action: 'failed', reason: MESSAGE, hint: /zope@m1:\/zeo\/var/ });
      }
    }));

  it('for every other command', () =>
    withPair((pair) => {
      pair.synced();
      for (const args of [
        ['verify', GIVEN],
        ['verify', pair.slave, '--against', GIVEN],
        ['status', GIVEN],
        ['status', pair.slave, '--master', GIVEN],
        ['log', GIVEN],
        ['demote', GIVEN],
      ]) {
        const run = pair.unchanged(() => syncpozo(args));
        assertNoCrash(run);
        assert.equal(run.exit, 2, run.all);
        assert.match(run.stderr, new RegExp(`^syncpozo: ${MESSAGE}\nhint: .*${GIVEN}`), run.all);
      }
    }));

  it('except as the master of a takeover, which continues and reports it', () =>
    withPair((pair) => {
      pair.synced();
      const run = syncpozo(['promote', pair.slave, '--master', GIVEN, '--json', '--status-file', pair.statusFile]);
      assert.equal(run.exit, 0, run.all);
      assert.equal(run.json.promoted, true);
      assert.ok(run.json.loss.why.startsWith(MESSAGE), run.all);
    }));
});
