import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Running, syncpozo } from '../support/cli.js';
import { eventually } from '../support/eventually.js';
import { type Mount, needsFuse, withMount } from '../support/hanging-mount.js';
import type { Pair } from '../support/pair.js';
import { roleOf } from '../support/promotion.js';

const MIB = 1 << 20;
const TIMEOUT = '2';

function rejoinArgs(pair: Pair, mount: Mount): string[] {
  const sides = ['rejoin', mount.point, pair.slave, '--yes', '--json', '--status-file', pair.statusFile];
  return [...sides, '--timeout', TIMEOUT];
}

/** The bytes of the files of what was lost. */
function lostIn(pair: Pair): string {
  const thin = readdirSync(pair.slave).filter((name) => /^lost-.*\.fs$/.test(name));
  return thin.map((name) => readFileSync(join(pair.slave, name), 'latin1')).join('');
}

/** The slave has a transaction of its own, and lacks many of the master's. */
function forked(pair: Pair, mount: Mount): void {
  const run = syncpozo(['sync', mount.point, pair.slave, '--json', '--status-file', pair.statusFile]);
  assert.equal(run.exit, 0, run.all);
  pair.commitToSlave('only the old master has this');
  for (let n = 0; n < 20; n++) pair.commit('x'.repeat(MIB));
}

describe('a rejoin of which the mount of the side that serves hangs', { skip: needsFuse ?? false }, () => {
  for (const [where, beyond, isInMidCopy] of [
    ['in the middle of what is copied', (pair: Pair) => pair.site.committedEnd - 4 * MIB, true],
    ['from the first byte on', () => 0, false],
  ] as const)
    it(`${where}: it ends with 1, and goes on when the mount answers`, () =>
      withMount(async (pair, mount) => {
        forked(pair, mount);
        const before = readFileSync(pair.slaveFile);
        mount.hangBeyond(beyond(pair));
        const running = Running.start(rejoinArgs(pair, mount));
        // The process may stay in the kernel until the mount answers, but has reported before.
        await eventually('it has reported', () => running.printed.endsWith('}\n'));
        const found = readFileSync(pair.slaveFile);
        const isBegun = readdirSync(pair.slave).includes('Data.fs.role') && roleOf(pair) === 'rejoining';
        mount.answer();
        const { json } = await running.end();
        assert.deepEqual([json.exitCode, json.action], [1, 'failed'], running.printed);
        assert.match(json.reason, /no progress for 2 s/);
        assert.ok(json.hint, running.printed);
        assert.ok(json.seconds < 30, running.printed);
        assert.equal(isBegun, isInMidCopy);
        if (isInMidCopy) {
          assert.match(lostIn(pair), /only the old master has this/);
          const master = readFileSync(pair.masterFile);
          assert.ok(found.equals(master.subarray(0, found.length)), 'a beginning of the master');
        } else assert.ok(found.equals(before), 'nothing was changed');

        const again = syncpozo(rejoinArgs(pair, mount));
        assert.equal(again.exit, 0, again.all);
        pair.assertInStep();
        assert.equal(roleOf(pair), 'slave');
        assert.match(lostIn(pair), /only the old master has this/);
      }));
});
