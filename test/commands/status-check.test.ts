import assert from 'node:assert/strict';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { assertNoCrash, type Run, syncpozo } from '../support/cli.js';
import { withConfigured } from '../support/configured.js';
import { away, off, ROLES, writeRole } from '../support/json-scenes.js';
import { type Pair, withPair } from '../support/pair.js';
import { promote } from '../support/promotion.js';
import { flipBits } from '../support/rot.js';

function check(pair: Pair, name: string, ...more: string[]): Run {
  const run = syncpozo(['status', pair.slave, '--status-file', pair.statusFile, '--check', name, ...more]);
  assertNoCrash(run);
  assert.equal((run.stdout + run.stderr).trimEnd().split('\n').length, 1, run.all);
  return run;
}

/** The answers to all questions: 0 for yes, 3 for no. */
const answers = (pair: Pair): (number | null)[] =>
  ['promotable', 'slave', 'master'].map((name) => check(pair, name).exit);

describe('syncpozo status --check', () => {
  it('answers by the exit status, in one line', () =>
    withPair((pair) => {
      assert.deepEqual(answers(pair), [3, 3, 3]);
      pair.synced();
      assert.deepEqual(answers(pair), [0, 0, 3]);
      assert.equal(check(pair, 'promotable').stdout, `${pair.slaveFile} is promotable: in step\n`);
      assert.equal(
        check(pair, 'master').stderr,
        `${pair.slaveFile} is not a promoted side with data: the role is slave\n`,
      );
      away(pair);
      pair.sync();
      assert.deepEqual(answers(pair), [0, 0, 3]);
      assert.match(check(pair, 'promotable').stdout, /is promotable: out of reach: /);
      off(pair);
      assert.match(check(pair, 'promotable').stderr, /is not promotable: the switch is off/);
      promote(pair);
      assert.deepEqual(answers(pair), [3, 3, 0]);
      for (const role of ROLES) {
        writeRole(pair.slaveFile, role);
        if (role !== 'slave' && role !== 'master') assert.deepEqual(answers(pair), [3, 3, 3], role);
      }
      writeRole(pair.slaveFile, 'master');
      assert.deepEqual(answers(pair), [3, 3, 0]);
      writeFileSync(pair.slaveFile, '');
      assert.equal(check(pair, 'master').exit, 3);
      rmSync(pair.slaveFile);
      assert.match(check(pair, 'master').stderr, /Data\.fs is not a promoted side with data: .* missing or empty\n/);
      assert.deepEqual(answers(pair), [3, 3, 3]);
      writeFileSync(`${pair.slaveFile}.role`, 'nonsense');
      assert.deepEqual(answers(pair), [3, 3, 3]);
    }));

  it('says damaged of a slave with wrong bytes, also while the master is out of reach, until a sync ends in step', () =>
    withPair((pair) => {
      const good = readFileSync(pair.synced().masterFile);
      const state = (): string => {
        const { json } = syncpozo(['status', pair.slave, '--status-file', pair.statusFile, '--json']);
        return `${json.state}: ${json.stateReason}`;
      };
      const outOfReach = (): void => {
        renameSync(pair.masterFile, `${pair.masterFile}.away`);
        assert.equal(pair.sync().exit, 1);
        renameSync(`${pair.masterFile}.away`, pair.masterFile);
      };
      for (const path of [pair.masterFile, pair.slaveFile]) flipBits(path, [good.length - 300]);
      assert.equal(pair.sync('--scrub', 'full').exit, 4);
      assert.match(state(), /^damaged: .*not those that were copied, and the slave/);
      outOfReach();
      assert.match(state(), /^damaged: .*not those that were copied, and the slave/);
      assert.match(check(pair, 'promotable').stderr, /is not promotable: damaged: /);
      for (const path of [pair.masterFile, pair.slaveFile]) writeFileSync(path, good, { flag: 'r+' });
      assert.equal(pair.sync('--scrub', 'full').exit, 0);
      assert.match(state(), /^in-step: /);
      flipBits(pair.masterFile, [good.length - 200]);
      assert.equal(pair.sync('--scrub', 'full').exit, 4);
      assert.match(state(), /^damaged: /);
      outOfReach();
      assert.match(state(), /^out-of-reach: /, 'the control: the slave itself is right');
      assert.equal(check(pair, 'promotable').exit, 0);
    }));

  it('holds the age against --max-age', () =>
    withPair((pair) => {
      pair.synced();
      assert.match(check(pair, 'promotable', '--max-age', '3600').stdout, /is promotable: last known to be in step/);
      assert.match(
        check(pair, 'promotable', '--max-age', '0').stderr,
        /is not promotable: last known .* more than 0 s/,
      );
      for (const wrong of [['promotable', '--max-age', '1,2'], ['liveness']])
        assert.equal(syncpozo(['status', pair.slave, '--check', ...wrong]).exit, 2);
    }));

  it('answers for each storage, and the exit status is the worst', () =>
    withConfigured(['main', 'other'], (configured) => {
      configured.pair('main').synced();
      const run = (...more: string[]) => configured.run('status', '--check', 'promotable', ...more);
      const one = run();
      assert.equal(one.exit, 3, one.all);
      assert.match(one.stdout, /^main: .* is promotable: in step$/m);
      assert.match(one.stderr, /^other: .* is not promotable: /m);
      configured.pair('other').synced();
      assert.equal(run().exit, 0);
      const { storages } = JSON.parse(run('--json').stdout);
      assert.deepEqual(storages.other.answer, { check: 'promotable', ok: true, why: 'in step' });
    }));
});
