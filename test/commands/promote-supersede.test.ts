import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import type { CatchUp } from '../../src/commands/catch-up.js';
import { slavePaths } from '../../src/standby/paths.js';
import { markSuperseded } from '../../src/standby/superseded.js';
import { demote } from '../../src/takeover/demote.js';
import { assertNoCrash, type Run, syncpozo } from '../support/cli.js';
import { type Pair, withPair } from '../support/pair.js';
import {
  commitTo,
  dataOf,
  decide,
  factsOfRole,
  inTerm,
  OF_LOSER,
  OF_WINNER,
  promoteHere,
  roleTextOf,
  type Split,
  split,
  statusOf,
} from '../support/split-brain.js';

/** As an operator calls it. */
function supersede({ winner, loser }: Split, ...more: string[]): Run {
  const args = ['promote', winner, '--supersede', '--master', loser, '--status-file', statusOf(winner), '--json'];
  const run = syncpozo([...args, ...more]);
  assertNoCrash(run);
  return run;
}

function assertWon({ winner }: Split, run: Run, term: number): void {
  assert.deepEqual([run.exit, run.json.promoted, run.json.already, run.json.term], [0, true, false, term], run.all);
  assert.match(roleTextOf(winner), new RegExp(`^role master\nterm ${term}\n`, 'm'));
}

/** A catch-up that fails in a read of the master. */
const OUT_OF_REACH = { hasTime: false, round: async () => ({ kind: 'problem', why: 'EIO', isOutOfReach: true }) };

function makeSlave(side: string): void {
  demote(slavePaths(side, undefined), factsOfRole(side), false);
}

function assertRejoined(pair: Pair, { winner, loser }: Split): void {
  const args = ['rejoin', winner, loser, '--yes', '--json', '--status-file', pair.statusFile];
  const rejoin = syncpozo(args);
  assert.deepEqual([rejoin.exit, rejoin.json.lost.transactions], [0, 1], rejoin.all);
  assert.match(readFileSync(rejoin.json.lost.file, 'latin1'), new RegExp(OF_LOSER));
  assert.match(readFileSync(dataOf(loser), 'latin1'), new RegExp(OF_WINNER));
  assert.doesNotMatch(readFileSync(dataOf(loser), 'latin1'), new RegExp(OF_LOSER));
}

describe('promote --supersede: the side that goes on after a split brain', () => {
  it('begins a term above that of the other one, which is many terms ahead, gives way, and can rejoin', () =>
    withPair(async (pair) => {
      const sides = await split(pair, 'master');
      const already = await promoteHere(sides.winner, { force: true });
      assert.deepEqual([already.promoted, already.already], [true, true], 'the control: --force alone does not');
      const run = supersede(sides, '--on-loss', 'true', '--patience', '20');
      assertWon(sides, run, 6);
      // Its last transaction is older than that of the winner, and lost all the same.
      assert.deepEqual([run.json.loss.possible, run.json.onLoss === null], [true, false], run.all);
      assert.match(run.json.loss.why, /has transactions that the master lacks/);
      assert.match(run.json.catchUpProblem, /was no slave/);
      assert.equal(syncpozo(['may-serve', sides.winner, '--peer', sides.loser]).exit, 0);
      assert.equal(syncpozo(['may-serve', sides.loser, '--peer', sides.winner]).exit, 3);
      assert.match(roleTextOf(sides.loser), /^role superseded$/m);
      assertRejoined(pair, sides);
    }));

  it('also where it was marked as superseded already', () =>
    withPair(async (pair) => {
      const sides = await split(pair, 'master');
      assert.equal(markSuperseded(slavePaths(sides.winner, undefined), 5).kind, 'marked');
      const forced = await decide(sides, { supersede: false, force: true });
      assert.deepEqual([forced.promoted, forced.exitCode], [false, 3]);
      assert.match(forced.hint ?? '', /promote --supersede/);
      assert.equal((await decide(sides)).term, 6);
    }));

  it('also where both were promoted in the same term; a second time it has nothing to do', () =>
    withPair(async (pair) => {
      const sides = await split(pair, 'slave', [1, 1]);
      assert.equal((await decide(sides)).term, 2);
      const again = await decide(sides);
      assert.deepEqual([again.promoted, again.already, again.term], [true, true, 2]);
      // While its data are moved away, nobody knows that the other one was not promoted in this very term.
      inTerm(sides.loser, 2);
      renameSync(dataOf(sides.loser), `${dataOf(sides.loser)}.away`);
      assertWon(sides, supersede(sides), 3);
    }));

  it('copies what the other one has, if a person has made a slave of it before, and it has nothing of its own', () =>
    withPair(async (pair) => {
      const sides = await split(pair, 'slave');
      rmSync(dataOf(sides.winner));
      rmSync(`${dataOf(sides.winner)}.role`);
      pair.synced();
      commitTo(pair, sides.loser, 'served since');
      const run = supersede(sides, '--catch-up', '60', '--patience', '20');
      assertWon(sides, run, 6);
      assert.deepEqual([run.json.caughtUp?.transactions, run.json.loss.possible], [1, false], run.all);
      assert.ok(readFileSync(dataOf(sides.winner)).equals(readFileSync(dataOf(sides.loser))));
    }));

  it('also where the data of the other one cannot be read, and it is a slave: not caught up, and above its term', () =>
    withPair(async (pair) => {
      const sides = await split(pair, 'slave');
      makeSlave(sides.winner);
      rmSync(dataOf(sides.loser));
      mkdirSync(dataOf(sides.loser));
      const role = roleTextOf(sides.winner);
      const catchUp = () => OUT_OF_REACH as unknown as CatchUp;
      const run = supersede(sides, '--file', 'Data.fs');
      assertWon(sides, run, 6);
      assert.notEqual(run.json.catchUpProblem, null);
      // A person who forces a slave decides against a term as well, where that is known.
      writeFileSync(`${dataOf(sides.winner)}.role`, role);
      assert.equal((await decide(sides, { supersede: false, catchUp, force: true })).term, 6);
      writeFileSync(`${dataOf(sides.winner)}.role`, role);
      assert.equal((await decide(sides, { catchUp })).term, 6);
      writeFileSync(`${dataOf(sides.winner)}.role`, role);
      assert.equal((await decide(sides, { supersede: false, catchUp })).promoted, true, 'the control: a takeover');
    }));
});

describe('a promotion after the side that has superseded this one is lost for good', () => {
  it('begins a term above that one, which gives way when it is back after all', () =>
    withPair(async (pair) => {
      const sides = await split(pair, 'slave');
      const asked = () => syncpozo(['may-serve', sides.winner, '--peer', sides.loser]).exit;
      assert.equal(asked(), 3);
      assert.match(roleTextOf(sides.winner), /^role superseded$/m);
      const role = roleTextOf(sides.winner);
      const demoted = () => {
        writeFileSync(`${dataOf(sides.winner)}.role`, role);
        makeSlave(sides.winner);
      };
      demoted();
      assert.equal((await promoteHere(sides.winner)).term, 6);
      assert.equal(asked(), 0);
      assert.equal(syncpozo(['may-serve', sides.loser, '--peer', sides.winner]).exit, 3);
      // A history that is torn, or cannot be read, is no reason to refuse.
      const events = `${dataOf(sides.winner)}.events`;
      demoted();
      appendFileSync(events, '{"name":"super');
      assert.equal((await promoteHere(sides.winner)).term, 6);
      demoted();
      rmSync(events);
      mkdirSync(events);
      assert.equal((await promoteHere(sides.winner)).term, 2);
    }));
});

describe('promote --force of a slave, beside a master that has served in a term that it has not followed,', () => {
  it('begins a term above that as well', () =>
    withPair(async (pair) => {
      const sides = await split(pair, 'slave');
      makeSlave(sides.winner);
      // The master answers.
      const askMaster = async () => ({ lastTid: null, lastTime: null, beyondClaim: undefined });
      assert.equal((await decide(sides, { supersede: false, askMaster })).exitCode, 3, 'the control');
      assert.equal((await decide(sides, { supersede: false, askMaster, force: true })).term, 6);
    }));
});
