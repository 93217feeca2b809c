import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { assertEnd, assertNoCrash, syncpozo } from '../support/cli.js';
import { heldByOther } from '../support/locks.js';
import { type Pair, withPair } from '../support/pair.js';

const DEAD = 2 ** 22 + 1;

function lockOf(pair: Pair): string {
  return join(pair.slave, 'Data.fs.lock');
}

describe("the slave's lock", () => {
  it('held by another sync: the run does nothing and reports no error', () =>
    withPair(async (pair) => {
      pair.synced().commit('must wait');
      await heldByOther(pair, 'syncpozo', () => {
        for (const more of [[], ['--full'], ['--dry-run']]) {
          const run = pair.unchanged(() => pair.sync(...more));
          assertEnd(run, { exit: 0, action: 'busy', reason: /another syncpozo is at work/ });
        }
      });
      pair.assertRepairs();
    }));

  const others: readonly (readonly [string, string])[] = [
    ['of a ZEO server', ' PID\n'],
    ['that is empty', ''],
    ['that is garbage', 'garbage'],
    ['of a dead syncpozo', ` ${DEAD} syncpozo ${hostname()}\n`],
  ];
  for (const [name, text] of others)
    it(`held by another program, with a text ${name}: exit status 5, and the text stays`, () =>
      withPair(async (pair) => {
        pair.synced().commit('must not be copied');
        await heldByOther(pair, text, (pid) => {
          const run = pair.unchanged(() => pair.sync());
          assertEnd(run, { exit: 5, action: 'refused', reason: /another program/, hint: /a standby in use/ });
          assert.equal(readFileSync(lockOf(pair), 'utf8'), text.replace('PID', String(pid)));
        });
        pair.assertRepairs();
      }));

  it('held by a sync on another host that shares the directory: the run does nothing', () =>
    withPair(async (pair) => {
      pair.synced().commit('must wait');
      await heldByOther(pair, ` ${DEAD} syncpozo another-host\n`, () =>
        assertEnd(pair.sync(), { exit: 0, action: 'busy' }),
      );
    }));

  it('left in a file by a dead process and held by nobody: the sync takes it', () =>
    withPair((pair) => {
      pair.synced().commit('more');
      writeFileSync(lockOf(pair), ` ${DEAD}\n`);
      assertEnd(pair.sync(), { exit: 0, action: 'append' });
      assert.match(readFileSync(lockOf(pair), 'utf8'), new RegExp(`^ \\d+ syncpozo ${hostname()}\n$`));
    }));

  it('appears in status', () =>
    withPair(async (pair) => {
      pair.synced();
      const lockedBy = () => {
        const run = syncpozo(['status', pair.slave, '--json', '--status-file', pair.statusFile]);
        assertNoCrash(run);
        return run.json.lockedBy;
      };
      assert.equal(lockedBy(), 'nobody');
      await heldByOther(pair, 'syncpozo', () => assert.equal(lockedBy(), 'syncpozo'));
      await heldByOther(pair, ' PID\n', () => assert.equal(lockedBy(), 'another program'));
    }));
});
