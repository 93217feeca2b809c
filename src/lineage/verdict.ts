import type { Blame } from './blame.js';
import type { Common, MergeFindings, Mismatch } from './findings.js';

/**
 * What a master is to a slave.
 *
 *  - `equal`: the committed bytes are the same;
 *  - `behind`: the slave is a prefix of the master;
 *  - `ahead`: the master is a prefix of the slave;
 *  - `packed`: the master is a continuation of the slave that a pack has rewritten;
 *  - `forked`: common up to a transaction, then one side or both have transactions that the other lacks;
 *  - `rotten`: the same transaction has other bytes on the two sides;
 *  - `rewritten`: most transactions have other bytes, as after a recompression;
 *  - `damaged`: the master breaks a rule of the format;
 *  - `unrelated`: nothing in common.
 */
export type Lineage =
  | 'equal'
  | 'behind'
  | 'ahead'
  | 'packed'
  | 'forked'
  | 'rotten'
  | 'rewritten'
  | 'damaged'
  | 'unrelated';

export interface Verdict {
  readonly lineage: Lineage;
  /** The master has all that the slave holds, or a pack left it out: the slave may be replaced and not kept. */
  readonly proven: boolean;
  /** The slave has transactions that were never recorded as copied from this master and are not on it. */
  readonly own: boolean;
  readonly common: Common | undefined;
  /** For people: why it is not `proven`, or why this lineage. */
  readonly reason: string;
  /** Where the sides differ in the same transaction. */
  readonly mismatch: Mismatch | undefined;
  /** The mismatch is with the file that was packed, `Data.fs.old`, not with the master's file. */
  readonly inPackedFile: boolean;
  readonly blame: Blame | undefined;
  readonly findings: MergeFindings;
}

/** What is known besides the two files. */
export interface Evidence {
  /** The file that was packed still exists and begins with what the slave holds. */
  readonly packedFileKnown: boolean;
  /**
   * It does, except for this transaction: it holds an object that the pack left out, and the slave has the copied
   * bytes.
   */
  readonly packedFileRot: Mismatch | undefined;
  /** A record of the master still refers to an object that has no record there any more: it was not garbage. */
  readonly refersToGone: boolean;
  /** The master began a term right after the slave's newest transaction: up to there the two were equal. */
  readonly endsWithTerm: boolean;
  /** Claimed bytes of the slave are missing or changed, or unreadable bytes follow the claim. */
  readonly unverified: boolean;
  /** Damage of this master was reported since the slave was last rebuilt: a repair may have removed what is missing. */
  readonly damageReported: boolean;
  /** The side that changed where the same transaction differs; undefined: nothing differs. */
  readonly blame: Blame | undefined;
  /** Both have the same magic, and some bytes differ: not because of the magic. */
  readonly bytesDiffer: boolean;
}

/** Total: every combination of findings has one answer. */
export function verdictOf(findings: MergeFindings, evidence: Evidence): Verdict {
  const { common, masterStop } = findings;
  const [difference] = findings.shapes.concat(findings.differences);
  const answer = (lineage: Lineage, reason: string, proven = false): Verdict => {
    const own = findings.droppedOwn > 0 && !evidence.packedFileKnown && !evidence.endsWithTerm;
    const packed = difference === undefined && lineage === 'rotten' ? evidence.packedFileRot : undefined;
    const mismatch = packed ?? difference;
    const blame = packed ? 'master' : evidence.blame;
    return { lineage, proven, own, common, reason, mismatch, inPackedFile: packed !== undefined, blame, findings };
  };
  if (masterStop?.kind === 'broken') return answer('damaged', `${masterStop.problem} at ${masterStop.position}`);
  const fork = whyForked(findings, evidence);
  const { differenceCount, shapeCount } = findings;
  const differ = differenceCount + shapeCount > 0 && evidence.blame !== 'slave';
  if (fork) {
    const missingAtEnd = findings.masterLast === common?.tid;
    const ahead = missingAtEnd && findings.foreign + findings.news + findings.older + findings.dropped === 0 && !differ;
    if (ahead) return answer('ahead', 'the slave goes on where the master ends');
    const unrelated = findings.matched === 0 && findings.unread.length === 0;
    return unrelated ? answer('unrelated', 'no transaction stands on both sides') : answer('forked', fork);
  }
  if (differ) {
    if (findings.differingTransactions * 2 > findings.matched && findings.matched > FEW) {
      return answer('rewritten', 'most transactions have other bytes: the file seems to have been rewritten');
    }
    if (shapeCount > 0 && evidence.blame !== 'master') {
      return answer('forked', 'a transaction with the same tid has other contents on the two sides');
    }
    return answer('rotten', 'the same transaction has other bytes on the two sides');
  }
  if (evidence.packedFileRot) {
    return answer(
      'rotten',
      'the file that was packed has other bytes than were copied, and the pack has left an object out',
    );
  }
  const unproven = whyUnproven(findings, evidence);
  if (findings.dropped === 0 && !findings.moved) {
    if (evidence.bytesDiffer && unproven === undefined)
      return answer('rotten', 'bytes outside of the data differ in the same transactions');
    if (unproven === undefined) return answer(findings.news === 0 ? 'equal' : 'behind', '', true);
  }
  return answer('packed', unproven ?? '', unproven === undefined);
}

/**
 * The first record with other data on the two sides, in transactions with the same tid, texts and objects, unless the
 * slave changed. That is rot even if the two forked: no two different transactions are so alike.
 */
export function rotIn({ findings, blame }: Verdict): Mismatch | undefined {
  return blame === 'slave' ? undefined : findings.differences[0];
}

/** Up to this many transactions of a small file may all differ by rot. */
const FEW = 8;

/** A finding that no pack of a continuation of the slave can produce; undefined: there is none. */
function whyForked(findings: MergeFindings, evidence: Evidence): string | undefined {
  const { lacking, foreign, dropped, older, packed } = findings;
  if (lacking > 0) return 'the master lacks transactions that no pack has taken in';
  if (dropped === 0) return undefined;
  if (foreign > 0) return 'the master has older transactions that the slave never had, and lacks some that it has';
  if (older > 0) return 'the master has only an older state of objects than the slave';
  // A pack may remove all transactions that it covers, and then leaves no mark of itself.
  if (!packed && !evidence.packedFileKnown) return 'the master lacks records, and was never packed';
  return undefined;
}

/** Why it is not certain that the master's history holds everything that the slave holds. */
function whyUnproven(findings: MergeFindings, evidence: Evidence): string | undefined {
  if (findings.unread.length > 0 || findings.slaveStop?.kind === 'broken') return 'a piece of the slave cannot be read';
  if (evidence.unverified) return 'the slave is not all there, or not as it was copied';
  if (evidence.blame === 'slave') return 'bytes of the slave are not those that were copied';
  if (findings.dropped === 0) return undefined;
  if (findings.matched === 0) return 'a pack has left nothing that both have: it may be another site';
  if (findings.emptied) {
    return 'the packed part of the master has a transaction without records, which no pack leaves: it may have been repaired';
  }
  if (evidence.refersToGone) return 'the master still refers to objects that it has no more, which no pack leaves out';
  if (evidence.damageReported)
    return 'damage of the master was reported before: what is missing may have been repaired away';
  if (!findings.newlyPacked)
    return 'the master lacks records of objects that it has no more, and no newer pack is seen';
  if (!evidence.packedFileKnown) {
    return 'the file that was packed (its .old beside the master) does not show that it was a continuation of the slave';
  }
  return undefined;
}
