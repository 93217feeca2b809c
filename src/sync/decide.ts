import { MAGIC_LENGTH, SMALLEST_TRANSACTION } from '../filestorage/layout.js';
import type { Comparison } from '../lineage/compare.js';
import type { Resume } from '../pipeline/resume.js';
import type { Verified } from '../pipeline/verified.js';
import { decideSides, forked } from './decide-sides.js';
import type { Decision, Facts, Hides, Plan, RefusedLineage, RefusedPlan } from './facts.js';

export const PROMOTED = "the slave has been promoted ('syncpozo demote' makes it a slave again)";

/**
 * The decision table: a pure function from the observed facts to a plan. The first row that matches wins.
 *
 * Some rows need a fact that costs reading: does the slave equal the master, does it hold transactions that the master
 * lacks? While it is missing, the function requests exactly the probe that the next row needs, and the caller calls it
 * again with the answer. So nothing is read that the decision does not depend on.
 *
 * It never decides to discard data of the slave. A plan to rebuild states from where on the slave's transactions were
 * never recorded as copied. The lineage is judged while the copy is filled, before the swap.
 */
export function decide(facts: Facts): Decision {
  // Row 1: the switch, and a slave that serves.
  if (facts.switch === 'off') return { kind: 'off', row: 1, reason: 'the status file says SYNCING=0' };
  if (facts.role === 'promoted') return { kind: 'off', row: 1, reason: PROMOTED };
  // Rows 2 and 3: another process holds the slave's lock.
  if (facts.lock === 'syncpozo') return { kind: 'busy', row: 2, reason: 'another syncpozo is at work on this slave' };
  if (facts.lock === 'other') return { kind: 'in-use', row: 3, reason: "another program holds the slave's lock" };
  // Rows 4 and 5: a master that cannot be read, or that is not a Data.fs.
  if (facts.master.state === 'missing') return { kind: 'out-of-reach', row: 4, reason: facts.master.reason };
  if (facts.master.state === 'unfit') return { kind: 'unfit', row: 5, reason: facts.master.reason };
  const refused = decideSides(facts);
  if (refused) return refused;
  // Rows 6 and 7: everything is copied. Without a slave --full cannot destroy anything.
  if (facts.slave.state !== 'there') {
    if (facts.full) return { kind: 'full', row: 6, reason: '--full' };
    return {
      kind: 'full',
      row: 7,
      reason: facts.slave.state === 'empty' ? 'the slave is empty' : 'there is no slave yet',
    };
  }
  if (facts.full) {
    if (facts.shown === undefined) return { kind: 'probe', at: 'shown' };
    const ownFrom = facts.claim?.position ?? MAGIC_LENGTH;
    const { end, brokenBehind } = facts.shown;
    const unverified = brokenBehind || end < ownFrom;
    return { kind: 'rebuild', row: 6, reason: '--full', ownFrom, slaveEnd: end, unverified, forced: true };
  }
  // Row 8, or rows 9 to 13.
  return facts.claim === undefined ? decideUnknown(facts) : decideKnown(facts, facts.claim.position, facts.slave.size);
}

/** Row 8: there is no usable `.dat`, so the slave's bytes decide. */
function decideUnknown(facts: Facts): Decision {
  const { comparison, datProblem } = facts;
  if (comparison === undefined) return { kind: 'probe', at: 'comparison' };
  if (comparison.masterDamaged) return { kind: 'damaged', row: 8, stop: comparison.masterDamaged };
  const size = facts.slave.state === 'there' ? facts.slave.size : 0;
  if (hidesNothing(comparison, size, comparison.slaveEnd)) {
    const reason = `${datProblem}; the slave equals the master and is adopted`;
    return { kind: 'adopt', row: 8, reason, resume: comparison };
  }
  const differs = `${datProblem}, and the slave differs from the master at position ${comparison.firstDifference}`;
  if (comparison.slaveStop !== 'end' && comparison.slaveStop !== 'in-flight')
    return needsSides(facts, differing(8, differs));
  const standing = decideStanding(facts);
  if (standing) return standing;
  if (facts.forked === undefined) return { kind: 'probe', at: 'forked' };
  if (facts.forked) return needsSides(facts, differing(8, differs));
  // A pack may have rewritten the master. All of the slave may be its own: nothing of it may be missing.
  return {
    kind: 'rebuild',
    row: 8,
    reason: `${datProblem}, and the master has been packed`,
    ownFrom: MAGIC_LENGTH,
    slaveEnd: comparison.slaveEnd,
    unverified: false,
    forced: false,
  };
}

function decideKnown(facts: Facts, claim: number, size: number): Decision {
  const { verified } = facts;
  if (verified === undefined) return { kind: 'probe', at: 'verified' };
  const hides = size > verified.position ? decideBeyond(facts, verified, claim, size) : 'nothing';
  if (typeof hides === 'object') return hides;
  // Row 11: is this still the file that the slave was copied from?
  if (facts.generation === undefined) return { kind: 'probe', at: 'generation' };
  if (facts.generation.kind === 'damaged') return { kind: 'damaged', row: 11, stop: facts.generation.stop };
  // The master has neither the bytes that the slave lost, nor the same transactions with other bytes: another history.
  const lostBoth = verified.position < claim && verified.masterAgrees === false && !verified.masterRot;
  if (facts.generation.kind === 'other' || lostBoth) return decideOther(facts, verified);
  if (hides === 'something') {
    // In one file the same transactions have the same bytes, except where they rotted on the disk.
    const mayBeRot = size <= claim || isUnfinished(facts.beyond, claim, size);
    if (!mayBeRot || (verified.masterAgrees !== true && !verified.masterRot)) return grown(facts);
    if (facts.own === undefined) return { kind: 'probe', at: 'own' };
    if (facts.own) return grown(facts);
  }
  // Bytes that the slave lost are not copied again from a master that is known to be wrong there.
  if (verified.masterRot) return { kind: 'damaged', row: 10, stop: verified.masterRot };
  if (facts.generation.kind === 'stale') {
    return { kind: 'append', row: 10, reason: facts.generation.problem, resume: facts.generation.resume };
  }
  // Rows 9, 10, 12 and 13. Bytes beyond the verified part are written again, even where they equal the master's: a
  // failed sync may have left them in memory only.
  const { repairable } = verified;
  if (repairable) {
    const reason = `${verified.problem}, and are repaired from the master`;
    return { kind: 'append', row: 10, reason, resume: repairable.claim, repairs: repairable.wrong };
  }
  if (verified.position < claim) {
    return {
      kind: 'append',
      row: 10,
      reason: verified.problem ?? 'the slave is shorter than its claim',
      resume: verified,
    };
  }
  if (size > claim)
    return { kind: 'append', row: 9, reason: 'an unfinished batch was found and is written again', resume: verified };
  if (facts.generation.moved) {
    return { kind: 'append', row: 11, reason: 'the master is another file with the same bytes', resume: verified };
  }
  if (facts.news === undefined) return { kind: 'probe', at: 'news' };
  if (facts.news) return { kind: 'append', row: 12, reason: 'the master has grown', resume: verified };
  return { kind: 'none', row: 13, reason: 'nothing new' };
}

/**
 * Row 9, and row 10 where the slave is not merely shorter: bytes beyond the verified part may hide transactions that
 * the master lacks. `something`: they differ from the master's at that place; the generation decides what they can be.
 */
function decideBeyond(facts: Facts, verified: Verified, claim: number, size: number): Decision | Hides {
  const { beyond } = facts;
  if (beyond === undefined) return { kind: 'probe', at: 'beyond' };
  if (hidesNothing(beyond, size, Math.max(beyond.slaveEnd, claim))) return 'nothing';
  // A killed run left a repair that is not durable, and the batch that it had begun behind it.
  const repairs = verified.masterAgrees === true && isUnfinished(beyond, claim, size);
  // An unfinished batch of ours begins with a 'c'. Bytes beyond the claim that break a rule are not ours.
  if (size > claim && !repairs && (beyond.slaveStop === 'torn' || beyond.slaveStop === 'damaged')) return grown(facts);
  return 'something';
}

/**
 * Whether the slave's bytes beyond the equal part can be discarded without loss: they are in flight, equal the master's, or
 * are too short to hold a transaction. Below its claim a slave that was cut may hold a server's transactions.
 */
function hidesNothing(seen: Comparison, size: number, from: number): boolean {
  if (seen.firstDifference >= size) return true;
  if (seen.equalUpTo !== seen.slaveEnd) return false;
  const isShort = size >= from && size - from < SMALLEST_TRANSACTION;
  return seen.slaveStop === 'end' || seen.slaveStop === 'in-flight' || isShort;
}

/** Whether a server would show nothing of the slave's bytes beyond its claim. */
function isUnfinished(beyond: Comparison | undefined, claim: number, size: number): boolean {
  if (beyond?.slaveEnd !== claim) return false;
  return beyond.slaveStop === 'in-flight' || size - claim < SMALLEST_TRANSACTION;
}

/** Row 11: the master's bytes are not those that were copied. */
function decideOther(facts: Facts, verified: Resume): Decision {
  const standing = decideStanding(facts);
  if (standing) return standing;
  const { beyond, claim = verified } = facts;
  const size = facts.slave.state === 'there' ? facts.slave.size : 0;
  // Where the slave's newest chunk has changed, its newest transaction proves nothing.
  const isChanged = verified.position < claim.position && size >= claim.position;
  if (!isChanged && facts.forked === undefined) return { kind: 'probe', at: 'forked' };
  if (!isChanged && facts.forked) return needsSides(facts, rolledBack());
  const slaveEnd = size < claim.position ? size : Math.max(beyond?.slaveEnd ?? 0, claim.position);
  const unverified = verified.position < claim.position;
  const ownFrom = claim.position;
  return { kind: 'rebuild', row: 11, reason: 'master has been packed', ownFrom, slaveEnd, unverified, forced: false };
}

/** A pack does not lift a recorded refusal: only a master that continues the slave's bytes does, or the operator. */
function decideStanding(facts: Facts): Decision | undefined {
  const { refusal } = facts.standing;
  if (refusal === undefined) return undefined;
  const since = new Date(refusal.since).toISOString();
  const reason = `refused since ${since}: the master is no continuation of the slave (${refusal.lineage})`;
  return needsSides(facts, forked(11, 'forked', reason, ANSWERS));
}

/** A refusal reports what each side has and the other lacks. */
function needsSides(facts: Facts, plan: Plan): Decision {
  return facts.sides === undefined ? { kind: 'probe', at: 'sides' } : plan;
}

const ANSWERS =
  "'syncpozo compare MASTER SLAVE' shows both histories. If MASTER is the right one and its state is the one to keep, run with --full: it rebuilds the slave, and keeps the old file aside unless all of it is the master's";

function differing(row: number, reason: string): RefusedPlan {
  return forked(row, 'forked', reason, ANSWERS);
}

/** The refusal where headers alone show that the histories forked. */
export function rolledBack(): RefusedPlan {
  const reason =
    "the master lacks the slave's last transaction: it was rolled back or restored, or it is another site's";
  return forked(11, 'forked', reason, `is MASTER the right directory? ${ANSWERS}`);
}

/** The refusal for a lineage that was judged while the copy was filled. */
export function refusedAs(lineage: RefusedLineage, why: string): RefusedPlan {
  if (lineage === 'unrelated') {
    const reason = "the master lacks the slave's last transaction, and all the others: it is another site's";
    return forked(11, lineage, reason, `is MASTER the right directory? ${ANSWERS}`);
  }
  return forked(11, lineage, `the master is no continuation of the slave (${lineage}): ${why}`, ANSWERS);
}

function grown(facts: Facts): Decision {
  return needsSides(facts, {
    kind: 'grown',
    row: 9,
    reason: 'the slave has transactions that the master lacks',
    hint: `has a ZEO server run on the slave? Then it may hold the newer data: find out which side is right. ${ANSWERS}`,
    lineage: 'forked',
  });
}
