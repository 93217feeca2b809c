import assert from 'node:assert/strict';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { formatRole, parseRole } from '../../src/standby/role.js';
import { assertNoCrash, type Run, syncpozo } from '../support/cli.js';
import { heldByOther } from '../support/locks.js';
import { type Pair, withPair } from '../support/pair.js';
import { promote } from '../support/promotion.js';
import { Site } from '../support/site.js';

const WINNER = 'own of the winner';
const roleAt = (data: string): string => readFileSync(`${data}.role`, 'utf8');
const statusOf = (pair: Pair): string => `${pair.statusFile}.winner`;

/** The promotion of the side that is the master at first, and that a person decides for. */
function onWinner(pair: Pair, ...more: string[]): Run {
  const args = ['promote', pair.master, '--status-file', statusOf(pair), '--json', '--patience', '20', ...more];
  const run = syncpozo(args);
  assertNoCrash(run);
  return run;
}

const supersede = (pair: Pair, ...more: string[]): Run =>
  onWinner(pair, '--supersede', '--master', pair.slave, ...more);

/** No program has the master's file open any more. */
function stopped(pair: Pair): void {
  pair.site.close();
}

function commitToWinner(pair: Pair): void {
  const site = Site.open(pair.masterFile, { clock: pair.clock });
  site.commit(site.pages(new Map([[2, WINNER]])));
  site.close();
}

/** Both sides have served; the loser was promoted again and again, and is terms ahead. */
function splitBrain(pair: Pair): void {
  stopped(pair.synced());
  assert.equal(promote(pair).exit, 0);
  const parsed = parseRole(roleAt(pair.slaveFile));
  assert.ok('facts' in parsed);
  const terms = parsed.facts.terms.map((line) => ({ ...line, term: 5 }));
  writeFileSync(`${pair.slaveFile}.role`, formatRole({ ...parsed.facts, terms }));
  pair.commitToSlave('of the loser');
  assert.equal(onWinner(pair).json.term, 1);
  commitToWinner(pair);
}

/** Asserts that the winner has a term above the loser's, and that the loser gives way. */
function assertWon(pair: Pair, run: Run, term = 6): void {
  assert.deepEqual([run.exit, run.json.promoted, run.json.already, run.json.term], [0, true, false, term], run.all);
  assert.match(roleAt(pair.masterFile), /^role master$/m);
  assert.equal(syncpozo(['may-serve', pair.master, '--peer', pair.slave]).exit, 0);
  assert.equal(syncpozo(['may-serve', pair.slave, '--peer', pair.master]).exit, 3);
  assert.match(roleAt(pair.slaveFile), /^role superseded$/m);
}

function assertRejoined(pair: Pair): void {
  const args = ['rejoin', pair.master, pair.slave, '--yes', '--json', '--status-file', pair.statusFile];
  const rejoin = syncpozo(args);
  assert.deepEqual([rejoin.exit, rejoin.json.lost.transactions], [0, 1], rejoin.all);
  assert.match(readFileSync(rejoin.json.lost.file, 'latin1'), /of the loser/);
  assert.match(readFileSync(pair.slaveFile, 'latin1'), new RegExp(WINNER));
  assert.doesNotMatch(readFileSync(pair.slaveFile, 'latin1'), /of the loser/);
}

describe('promote --supersede: the side that goes on after a split brain', () => {
  it('begins a term above that of the other one, which is many terms ahead', () =>
    withPair((pair) => {
      splitBrain(pair);
      const already = onWinner(pair, '--master', pair.slave, '--force');
      assert.deepEqual([already.exit, already.json.already], [0, true], 'the control: --force alone does not');
      assertWon(pair, supersede(pair));
      assertRejoined(pair);
    }));

  it('also where it was marked as superseded already', () =>
    withPair((pair) => {
      splitBrain(pair);
      assert.equal(syncpozo(['may-serve', pair.master, '--peer', pair.slave]).exit, 3);
      const run = onWinner(pair, '--force', '--master', pair.slave);
      assert.deepEqual([run.exit, run.json.promoted], [3, false], run.all);
      assert.match(run.json.hint, /promote --supersede/);
      assertWon(pair, supersede(pair));
    }));

  it('also where both were promoted in the same term; a second time it has nothing to do', () =>
    withPair((pair) => {
      stopped(pair.synced());
      promote(pair);
      assert.equal(onWinner(pair).json.term, 1);
      pair.commitToSlave('of the loser');
      commitToWinner(pair);
      assert.equal(supersede(pair).json.term, 2);
      const again = supersede(pair);
      assert.deepEqual([again.exit, again.json.already, again.json.term], [0, true, 2], again.all);
    }));

  it('copies what the other one has, if it has nothing of its own', () =>
    withPair((pair) => {
      stopped(pair.synced());
      promote(pair);
      pair.commitToSlave('served since');
      assert.equal(syncpozo(['may-serve', pair.master, '--peer', pair.slave]).exit, 3);
      const run = supersede(pair, '--catch-up', '60');
      assert.deepEqual([run.exit, run.json.caughtUp?.transactions, run.json.loss.possible], [0, 1, false], run.all);
      assert.ok(readFileSync(pair.masterFile).equals(readFileSync(pair.slaveFile)));
      assert.equal(run.json.term, 2);
    }));

  it('changes nothing where the term of the other one is not known, or a server runs', () =>
    withPair(async (pair) => {
      splitBrain(pair);
      const before = roleAt(pair.masterFile);
      const refused = (run: Run, exit: number, reason: RegExp): void => {
        assert.deepEqual([run.exit, run.json.promoted], [exit, false], run.all);
        assert.match(run.json.reason, reason);
        assert.equal(roleAt(pair.masterFile), before);
      };
      const alone = onWinner(pair, '--supersede');
      assert.equal(alone.exit, 2, alone.all);
      assert.match(alone.all, /--supersede needs the other side/);
      renameSync(pair.slave, `${pair.slave}.unmounted`);
      refused(supersede(pair), 3, /the term of MASTER is not known/);
      renameSync(`${pair.slave}.unmounted`, pair.slave);
      await heldByOther({ slave: pair.master }, ' PID\n', () => refused(supersede(pair), 5, /in use/));
    }));
});

describe('promote --force of a slave, beside a master that has served in a term that it has not followed,', () => {
  it('begins a term above that as well', () =>
    withPair((pair) => {
      splitBrain(pair);
      syncpozo(['demote', pair.master, '--status-file', statusOf(pair)]);
      assert.equal(onWinner(pair, '--master', pair.slave).exit, 3, 'the control');
      assert.equal(onWinner(pair, '--master', pair.slave, '--force').json.term, 6);
    }));
});
