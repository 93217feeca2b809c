import { resolve } from 'node:path';
import { formatTid, tidToIso } from '../filestorage/tid.js';
import { outputInTime } from '../io/child.js';
import { factsOfPath } from '../io/facts.js';
import type { Loss } from '../report/promotion.js';
import type { Standing } from '../report/standing.js';
import { elsewhere } from '../standby/elsewhere.js';
import type { Settled } from '../takeover/promotion.js';
import type { Peer } from './side-of-file.js';

/** Result of probing the master; `why` when there is none. */
export type MasterAnswer =
  | {
      readonly lastTid: string | null;
      readonly lastTime: string | null;
      /** What the master has beyond the slave's claim, and the claim's tid. */
      readonly beyondClaim: { readonly transactions: number; readonly claimTid: string } | undefined;
    }
  | { readonly why: string };

export const NOT_ASKED: MasterAnswer = { why: 'nobody knows what the master has committed after the last sync' };
export const OUT_OF_REACH: MasterAnswer = {
  why: 'the master is out of reach, and nobody knows what it has committed after the last sync',
};

/** A mistake in MASTER must not delay a takeover: it is reported with the loss. */
export function isElsewhere(master: string): boolean {
  const other = elsewhere(master);
  return other !== undefined && factsOfPath(resolve(other.first)) === undefined;
}

/**
 * Probes the master in a child process of this program, which can be abandoned: the mount of a dead master may hang,
 * and no thread of this process may hang in it. Gives up after `seconds`.
 */
export async function askForMaster(
  program: string,
  master: string,
  slave: string,
  seconds: number,
  more: readonly string[],
): Promise<MasterAnswer> {
  if (isElsewhere(master))
    return { why: `${master} is not a path of this machine, and nobody knows what the master has committed` };
  const args = [program, 'status', slave, '--master', master, '--json', ...more];
  const output = await outputInTime(process.execPath, args, seconds * 1000);
  if (output === undefined) return OUT_OF_REACH;
  const standing = JSON.parse(output) as Standing;
  const { claim, lag } = standing;
  if (!standing.master || standing.master.problem !== null) return OUT_OF_REACH;
  const { lastTid, lastTime } = standing.master;
  const beyondClaim =
    claim && lag && lag.transactions !== null ? { transactions: lag.transactions, claimTid: claim.tid } : undefined;
  return { lastTid, lastTime, beyondClaim };
}

/** It has answered just now, and a process of this program takes its time to start on a busy machine. */
const LEAST_SECONDS = 2;

/** The highest term in which the master has served. */
export interface TermOfMaster {
  readonly term: number;
  /** Or may have been: its role is not known. */
  readonly isPromoted: boolean;
  /** undefined: it cannot be read. */
  readonly file?: Peer['file'];
}

/** As askForMaster; undefined: not known. */
export async function askForTerm(
  program: string,
  master: string,
  fileName: string,
  seconds: number,
): Promise<TermOfMaster | undefined> {
  const args = [program, 'may-serve', resolve(master), '--as-peer', '--file', fileName, '--json'];
  const output = await outputInTime(process.execPath, args, Math.max(LEAST_SECONDS, seconds) * 1000);
  return output === undefined ? undefined : termOf(JSON.parse(output) as Peer);
}

export function termOf({ side, file }: Peer): TermOfMaster | undefined {
  if (!('term' in side) || side.term === undefined) return undefined;
  // Of a directory without any of its files, as without its mount, nothing is known.
  if ('unreachable' in side && side.term === 0) return undefined;
  return { term: side.term, isPromoted: 'unreachable' in side || side.role === 'master', file };
}

/** A server that still runs may commit more until its host learns of the promotion. */
export function lossWhileServed(loss: Loss): Loss {
  if (loss.possible) return loss;
  const why = 'the server of the master still runs, and nobody knows what it commits from now on';
  return { ...loss, possible: true, transactions: null, why };
}

const NOTHING = { possible: false, certain: false, transactions: 0 } as const;

/** The master's transactions that the slave lacks, as far as known. `plain`: the file was never a slave. */
export function lossOf(settled: Settled, probe: MasterAnswer, plain: boolean): Loss {
  const afterTid = formatTid(settled.tid);
  const place = { afterTid, afterTime: tidToIso(settled.tid) };
  const missing = settled.lostClaim !== undefined;
  if ('why' in probe) {
    const { lostClaim } = settled;
    if (plain) return { ...place, ...NOTHING, masterTid: null, masterTime: null, why: 'this file was never a slave' };
    const why =
      lostClaim === undefined ? probe.why : `the slave has been damaged: it had them up to ${formatTid(lostClaim)}`;
    return { ...place, possible: true, certain: missing, transactions: null, masterTid: null, masterTime: null, why };
  }
  const master = { masterTid: probe.lastTid, masterTime: probe.lastTime };
  const newer = probe.lastTid !== null && probe.lastTid > afterTid;
  // A last transaction of this side alone: the two may have forked, unless the master ends where the slave was copied to.
  const mayDiffer = !plain && probe.lastTid !== afterTid && probe.beyondClaim?.transactions !== 0;
  if (!newer && !missing && mayDiffer) {
    const why = 'this side has transactions that the master lacks, and nobody knows whether the master has others';
    return { ...place, ...master, possible: true, certain: false, transactions: null, why };
  }
  if (!newer && !missing) {
    const why = 'the master was checked, and has nothing newer';
    return { ...place, ...master, ...NOTHING, why };
  }
  const { beyondClaim } = probe;
  const transactions = beyondClaim?.claimTid === afterTid ? beyondClaim.transactions : null;
  const why = `the master was checked, its last transaction is ${probe.lastTid}`;
  return { ...place, ...master, possible: true, certain: true, transactions, why };
}
