import { SMALLEST_TRANSACTION } from '../filestorage/layout.js';
import type { Comparison, Decision, Facts, Plan, Presence, Resume, Trusted } from './facts.js';

const PROMOTED = "the slave has been promoted ('syncpozo demote' makes it a slave again)";

/**
 * The decision table: a pure function from what was observed to what is to be done. The first row that matches wins.
 *
 * Some rows need a look that costs reading (does the slave equal the master? is its last transaction among the
 * master's?). While such a fact is missing, the function asks for exactly the look that the next row needs, and is
 * called again with its answer. So nothing is read that the decision does not hang on.
 */
export function decide(facts: Facts): Decision {
  // Row 1: the switch, and a slave that serves.
  if (facts.switch === 'off') return { kind: 'off', row: 1, reason: 'the status file says SYNCING=0' };
  if (facts.role === 'promoted') return { kind: 'off', row: 1, reason: PROMOTED };
  // Rows 2 and 3: somebody else is at work on the slave.
  if (facts.lock === 'syncpozo') return { kind: 'busy', row: 2, reason: 'another syncpozo is at work on this slave' };
  if (facts.lock === 'other') return { kind: 'in-use', row: 3, reason: "another program holds the slave's lock" };
  // Rows 4 and 5: a master that cannot be read, or that is none.
  if (facts.master.state === 'missing') return { kind: 'out-of-reach', row: 4, reason: facts.master.reason };
  if (facts.master.state === 'unfit') return { kind: 'unfit', row: 5, reason: facts.master.reason };
  // Rows 6 and 7: everything anew. Without a slave there is nothing that --full could destroy.
  if (facts.slave.state !== 'there') {
    if (facts.full) return { kind: 'full', row: 6, reason: '--full' };
    return {
      kind: 'full',
      row: 7,
      reason: facts.slave.state === 'empty' ? 'the slave is empty' : 'there is no slave yet',
    };
  }
  if (facts.full) {
    if (facts.parting === undefined) return { kind: 'look', at: 'parting' };
    const own = facts.parting.onlyHere.count > 0 || !facts.parting.complete;
    if (own && facts.presence === undefined) return { kind: 'look', at: 'presence' };
    return { kind: 'rebuild', row: 6, reason: '--full', keepOld: own && !isSuperseded(facts.presence) };
  }
  // Row 8, or rows 9 to 13.
  return facts.claim === undefined ? decideUnknown(facts) : decideKnown(facts, facts.claim.position, facts.slave.size);
}

/** Row 8: nothing is known of the slave, so its bytes decide. */
function decideUnknown(facts: Facts): Decision {
  const { comparison } = facts;
  if (comparison === undefined) return { kind: 'look', at: 'comparison' };
  if (comparison.masterDamaged) return { kind: 'damaged', row: 8, stop: comparison.masterDamaged };
  const size = facts.slave.state === 'there' ? facts.slave.size : 0;
  if (hidesNothing(comparison, size, comparison.slaveEnd)) return adopt(facts, comparison);
  // A rebuild was killed between the swap and its .dat, or the .dat was lost, and the master was packed since.
  if (comparison.otherTransactions && (comparison.slaveStop === 'end' || comparison.slaveStop === 'in-flight')) {
    if (facts.presence === undefined) return { kind: 'look', at: 'presence' };
    if (facts.presence.kind === 'damaged') return { kind: 'damaged', row: 8, stop: facts.presence.stop };
    const reason = `${facts.datProblem}, and the master has been packed`;
    if (facts.presence.kind !== 'absent') return remake(8, reason, facts.presence);
  }
  if (facts.parting === undefined) return { kind: 'look', at: 'parting' };
  return {
    kind: 'parted',
    row: 8,
    reason: `${facts.datProblem}, and the slave differs from the master at position ${comparison.firstDifference}`,
    hint: 'if MASTER is the right one and its state is the one to keep, run with --full: it makes the slave anew, and keeps the old file aside if it has transactions of its own',
  };
}

function adopt(facts: Facts, resume: Resume): Decision {
  return { kind: 'adopt', row: 8, reason: `${facts.datProblem}; the slave equals the master and is adopted`, resume };
}

function decideKnown(facts: Facts, claim: number, size: number): Decision {
  const { trusted } = facts;
  if (trusted === undefined) return { kind: 'look', at: 'trusted' };
  const own = size > trusted.position ? decideBeyond(facts, trusted, claim, size) : undefined;
  if (own !== undefined) return own;
  // Row 11: is this still the file that the slave was copied from?
  if (facts.generation === undefined) return { kind: 'look', at: 'generation' };
  if (facts.generation.kind === 'damaged') return { kind: 'damaged', row: 11, stop: facts.generation.stop };
  if (facts.generation.kind === 'other') return decideOtherGeneration(facts);
  // Nothing of the slave's is superseded by a pack where there was none.
  if (facts.presence !== undefined) return grown();
  if (facts.generation.kind === 'stale') {
    return { kind: 'append', row: 10, reason: facts.generation.problem, resume: facts.generation.resume };
  }
  // Rows 9, 10, 12 and 13. Whatever stands beyond the trusted part is written again, even where it equals the master: it may
  // be in memory only, after a sync that failed.
  const { repairable } = trusted;
  if (repairable) {
    const reason = `${trusted.problem}, and are repaired from the master`;
    return { kind: 'append', row: 10, reason, resume: repairable.claim, repairs: repairable.wrong };
  }
  if (trusted.position < claim) {
    return {
      kind: 'append',
      row: 10,
      reason: trusted.problem ?? 'the slave is shorter than its claim',
      resume: trusted,
    };
  }
  if (size > claim)
    return { kind: 'append', row: 9, reason: 'an unfinished batch was found and is written again', resume: trusted };
  if (facts.generation.moved) {
    return { kind: 'append', row: 11, reason: 'the master is another file with the same bytes', resume: trusted };
  }
  if (facts.news === undefined) return { kind: 'look', at: 'news' };
  if (facts.news) return { kind: 'append', row: 12, reason: 'the master has grown', resume: trusted };
  return { kind: 'none', row: 13, reason: 'nothing new' };
}

/**
 * Row 9, and row 10 where the slave is not merely shorter: nothing of its own may be cut off. undefined: there is nothing of
 * its own beyond the trusted part, or, if it is superseded, the generation has yet to bear that out.
 */
function decideBeyond(facts: Facts, trusted: Trusted, claim: number, size: number): Decision | undefined {
  const { beyond, parting, presence } = facts;
  if (beyond === undefined) return { kind: 'look', at: 'beyond' };
  if (hidesNothing(beyond, size, Math.max(beyond.slaveEnd, claim))) return undefined;
  // A repair that a killed run did not make durable, and the batch that was begun behind it.
  const repairs = trusted.masterAgrees === true && isUnfinished(beyond, claim, size);
  const grew = size > claim && !repairs;
  // Beyond the claim an unfinished batch of ours begins with a 'c': whatever breaks a rule there is not ours.
  if (grew && (beyond.slaveStop === 'torn' || beyond.slaveStop === 'damaged')) return grown();
  if (parting === undefined) return { kind: 'look', at: 'parting' };
  const { onlyHere, doubtful, complete } = parting;
  // Below the claim, where the master still has what was copied, other bytes under a known tid are rot.
  const rotten = !grew && trusted.masterAgrees === true ? doubtful : 0;
  if (onlyHere.count <= rotten && (!grew || complete)) return undefined;
  // Unless it is a batch that was made visible and not claimed any more, and a pack has dropped the end of it since.
  if (!grew || trusted.position < claim || !complete) return grown();
  if (presence === undefined) return { kind: 'look', at: 'presence' };
  return isSuperseded(presence) ? undefined : grown();
}

/**
 * Whether what the slave has beyond the part that equals the master can go without a loss: it is in flight, or every byte
 * of it is the master's, or it is too short to hold a transaction.
 */
function hidesNothing(seen: Comparison, size: number, from: number): boolean {
  if (seen.firstDifference >= size) return true;
  if (seen.equalUpTo !== seen.slaveEnd) return false;
  return seen.slaveStop === 'end' || seen.slaveStop === 'in-flight' || size - from < SMALLEST_TRANSACTION;
}

/** Whether no server would show anything of what the slave has beyond its claim. */
function isUnfinished({ slaveEnd, slaveStop }: Comparison, claim: number, size: number): boolean {
  return slaveEnd === claim && (slaveStop === 'in-flight' || size - claim < SMALLEST_TRANSACTION);
}

/** Whether the master lacks transactions of the slave's only because a pack had reason to drop them. */
function isSuperseded(presence: Presence | undefined): boolean {
  return presence?.kind === 'packed-span' && presence.superseded;
}

/** The slave's last transaction is the master's, or a pack dropped it; where that is not proved, the old file is kept. */
function remake(row: number, reason: string, presence: Presence): Plan {
  return { kind: 'rebuild', row, reason, keepOld: presence.kind !== 'present' && !isSuperseded(presence) };
}

function grown(): Decision {
  return {
    kind: 'grown',
    row: 9,
    reason: 'the slave has transactions that the master lacks',
    hint: 'has a ZEO server run on the slave? Then it may hold the newer data: find out which side is right; --full makes the slave anew from MASTER and keeps the old file aside',
  };
}

function decideOtherGeneration(facts: Facts): Decision {
  const { presence } = facts;
  if (presence === undefined) return { kind: 'look', at: 'presence' };
  switch (presence.kind) {
    case 'present':
    case 'packed-span':
      return remake(11, 'master has been packed', presence);
    case 'damaged':
      return { kind: 'damaged', row: 11, stop: presence.stop };
    case 'absent':
      if (facts.parting === undefined) return { kind: 'look', at: 'parting' };
      return {
        kind: 'parted',
        row: 11,
        reason:
          "the master lacks the slave's last transaction: it was rolled back or restored, or it is another site's",
        hint: 'is MASTER the right directory? (A pack that has left nothing of what the slave has looks the same.) If it is, and its state is the one to keep, run with --full: it makes the slave anew and keeps the old file aside',
      };
  }
}
