import { basename } from 'node:path';
import { formatTid, tidToIso } from '../filestorage/tid.js';
import { factsOfPath } from '../io/facts.js';
import { IoFault } from '../io/fault.js';
import { usableDat } from '../pipeline/observe.js';
import { Window } from '../pipeline/window.js';
import type { Loss, PromotionResult } from '../report/promotion.js';
import { EXIT, type ExitCode, exitOfError, hintOf } from '../round/exit.js';
import { readDatFile, readDatOf } from '../standby/dat-file.js';
import { refuseOpened, SlaveInUse } from '../standby/in-use.js';
import { Lock } from '../standby/lock.js';
import { lastInStep } from '../standby/outcome-file.js';
import { PathMistake, type Side, type SlavePaths, slavePaths } from '../standby/paths.js';
import { lastTerm, type Promotion, type RoleFacts } from '../standby/role.js';
import { carryOver, RoleRefusal, roleToPromote } from '../standby/role-of.js';
import { type Evicted, evict } from '../takeover/evict.js';
import { checkLastBlobs, type LastBlobs } from '../takeover/last-blobs.js';
import { NothingToServe, publishPromotion, type Settled, settle } from '../takeover/promotion.js';
import type { IndexLimits } from '../takeover/promotion-index.js';
import { lossOf, type MasterAnswer, NOT_ASKED } from './loss.js';
import { PromotionSwitch } from './promote-switch.js';

export interface PromoteOptions {
  /** Data directory, or the path of the file itself. */
  readonly slave: string;
  readonly file?: string | undefined;
  /** From its name alone: a takeover does not wait for the mount of a dead master. */
  readonly master?: Side | undefined;
  readonly statusFile: string;
  /** How long a running sync may take to end before it is killed. */
  readonly graceSeconds: number;
  /** Compare all chunks with their checksums, not just the last one. */
  readonly verify: boolean;
  readonly indexLimits?: IndexLimits | undefined;
  /** Probes the master, whose file in a directory has the given name. Must return in time, even if the master hangs. */
  readonly askMaster?: (fileName: string) => Promise<MasterAnswer>;
  /** Called before the role is set, when transactions may be lost; returns the id of the process that it started. */
  readonly onLoss?: (facts: Readonly<Record<string, string>>) => number | undefined;
}

const WINDOW_BYTES = 1 << 20;

/**
 * Makes a slave ready to serve and reports what may be lost. Throws mistakes of the operator.
 *
 * The order matters. Turn the switch off, where it can be written, so that no sync begins. End a running sync and take
 * its lock. Complete the end of the file and make it durable. Start the command for a loss. Set the role, which no sync
 * ever takes back. After a kill at any point it is called again: until the role is set it repeats all steps, so the
 * command starts at least once; afterwards it repeats nothing.
 */
export async function runPromote(options: PromoteOptions): Promise<PromotionResult> {
  const began = performance.now();
  const paths = slavePaths(options.slave, options.file, options.master);
  const position = PromotionSwitch.off(options.statusFile);
  const result = await attemptPromotion(paths, options);
  const isRefused = [EXIT.usage, EXIT.refused, EXIT.inUse].some((code) => code === result.exitCode);
  const left = isRefused ? position.putBack() : position.stays();
  const hint = result.promoted && left.problem !== null ? hintForSwitch(options.statusFile, paths) : result.hint;
  return { ...result, hint, switch: left, seconds: Math.round(performance.now() - began) / 1000 };
}

function hintForSwitch(statusFile: string, { role }: SlavePaths): string {
  return `no sync writes to this slave all the same, because of ${role}; but the switch ${statusFile} does not say so: 'syncpozo off --status-file ${statusFile}', as a user who may write there, when there is room and its directory exists`;
}

/** Returns a refusal, or a fault of the machine, as a result as well. */
async function attemptPromotion(paths: SlavePaths, options: PromoteOptions): Promise<PromotionResult> {
  try {
    const probe = options.askMaster?.(options.file ?? basename(paths.data));
    return alreadyPromoted(paths, options) ?? (await promote(paths, options, probe));
  } catch (error) {
    const foreseen = [RoleRefusal, SlaveInUse, PathMistake, IoFault].some((kind) => error instanceof kind);
    if (!foreseen || !(error instanceof Error)) throw error;
    return {
      ...plain(paths, options),
      exitCode: exitOfError(error),
      reason: error.message,
      hint: hintOf(error) ?? null,
    };
  }
}

/** Does not touch the lock: a server may be about to take it. */
function alreadyPromoted(paths: SlavePaths, options: PromoteOptions): PromotionResult | undefined {
  const facts = roleToPromote(paths);
  if (facts.role !== 'master') return undefined;
  const { promotion } = facts;
  const holder = Lock.probe(paths.lock);
  return {
    ...plain(paths, options),
    promoted: true,
    already: true,
    term: lastTerm(facts),
    slave: {
      path: paths.data,
      position: promotion?.position ?? null,
      lastTid: promotion ? formatTid(promotion.tid) : null,
      lastTime: promotion ? tidToIso(promotion.tid) : null,
      lockedBy: holder?.kind === 'other' ? holder.holder : null,
    },
    ...ageOf(promotion),
  };
}

async function promote(
  paths: SlavePaths,
  options: PromoteOptions,
  probe: Promise<MasterAnswer> | undefined,
): Promise<PromotionResult> {
  const refused = (exitCode: ExitCode, reason: string, hint: string): PromotionResult => ({
    ...plain(paths, options),
    exitCode,
    reason,
    hint,
  });
  if (!factsOfPath(paths.data)?.size) {
    const hint = "is the slave's disk mounted? A slave has to be synced before it can take over";
    return refused(EXIT.refused, `${paths.data} is missing or empty: ZEO would serve an empty database`, hint);
  }
  const eviction = await evict(paths.lock, paths.directoryFacts, options.graceSeconds);
  if (eviction.kind === 'other') {
    const hint =
      'is it a ZEO server that serves the slave already? Then there is nothing to do; otherwise end it first';
    return refused(EXIT.inUse, `another program holds the slave's lock (it names: ${eviction.holder})`, hint);
  }
  if (eviction.kind === 'stays')
    return refused(EXIT.fault, `the slave's lock is held (${eviction.holder}) and cannot be had`, eviction.why);
  try {
    refuseOpened(paths);
    return await promoteUnderLock(paths, options, eviction.evicted, probe);
  } finally {
    eviction.lock.release();
  }
}

/** The part of a promotion that requires the slave's lock. */
export async function promoteUnderLock(
  paths: SlavePaths,
  options: PromoteOptions,
  evicted: Evicted | undefined,
  probe: Promise<MasterAnswer> | undefined,
): Promise<PromotionResult> {
  try {
    carryOver(paths, readDatFile(paths));
    // Another promotion may have run until now, and a sync may have published something.
    return alreadyPromoted(paths, options) ?? (await setRole(paths, options, roleToPromote(paths), evicted, probe));
  } catch (error) {
    if (!(error instanceof NothingToServe)) throw error;
    const hint = 'is SLAVE the right file? Nothing was changed in it';
    return { ...plain(paths, options), exitCode: EXIT.refused, reason: error.message, hint };
  }
}

async function setRole(
  paths: SlavePaths,
  options: PromoteOptions,
  before: RoleFacts,
  evicted: Evicted | undefined,
  probe: Promise<MasterAnswer> | undefined,
): Promise<PromotionResult> {
  const inode = factsOfPath(paths.data)?.inode;
  const { dat } = usableDat(readDatOf(paths, inode), inode);
  const promotion = { lastSync: dat && lastInStep(paths), at: Date.now() };
  const settled = await settle(paths, dat, new Window(WINDOW_BYTES), {
    all: options.verify,
    indexLimits: options.indexLimits,
  });
  const loss = lossOf(settled, probe ? await probe : NOT_ASKED);
  const done = { ...promotion, position: settled.position, tid: settled.tid };
  const term = lastTerm(before) + 1;
  const blobs = dat?.blobs && checkLastBlobs(paths, dat.blobs, new Window(WINDOW_BYTES));
  const result = withBlobs({ ...resultOf(paths, options, settled, done), term, sync: evicted ?? null, loss }, blobs);
  const onLoss = (loss.possible && options.onLoss?.(factsFor(result, loss))) || null;
  publishPromotion(paths, settled, dat, before, done);
  return { ...result, onLoss };
}

function withBlobs(result: PromotionResult, blobs: LastBlobs | undefined): PromotionResult {
  if (!blobs) return result;
  return { ...result, blobs, exitCode: blobs.problems.length + blobs.missing > 0 ? EXIT.damaged : result.exitCode };
}

export function plain(paths: SlavePaths, options: PromoteOptions): PromotionResult {
  return {
    promoted: false,
    already: false,
    reason: null,
    hint: null,
    exitCode: EXIT.ok,
    statusFile: options.statusFile,
    switch: null,
    term: null,
    slave: { path: paths.data, position: null, lastTid: null, lastTime: null, lockedBy: null },
    lastSync: null,
    ageSeconds: null,
    sync: null,
    cut: null,
    checked: null,
    changed: [],
    uncoveredByIndex: null,
    blobs: null,
    loss: null,
    onLoss: null,
    seconds: 0,
  };
}

function resultOf(paths: SlavePaths, options: PromoteOptions, settled: Settled, promotion: Promotion): PromotionResult {
  const { position, tid, cut, changed } = settled;
  const damaged = changed.length > 0 || settled.lostClaim !== undefined || (cut !== undefined && !cut.unfinished);
  return {
    ...plain(paths, options),
    promoted: true,
    exitCode: damaged ? EXIT.damaged : EXIT.ok,
    slave: { path: paths.data, position, lastTid: formatTid(tid), lastTime: tidToIso(tid), lockedBy: null },
    ...ageOf(promotion),
    cut: cut ? { ...cut, keptAs: cut.keptAs ?? null } : null,
    checked: settled.checked,
    changed: changed.map(({ start, end, firstTid, lastTid }) => ({
      start,
      end,
      firstTid: formatTid(firstTid),
      lastTid: formatTid(lastTid),
    })),
    uncoveredByIndex: settled.uncovered,
  };
}

function ageOf(promotion: Promotion | undefined): Pick<PromotionResult, 'lastSync' | 'ageSeconds'> {
  if (promotion?.lastSync === undefined) return { lastSync: null, ageSeconds: null };
  const age = Math.max(0, Math.round((promotion.at - promotion.lastSync) / 1000));
  return { lastSync: new Date(promotion.lastSync).toISOString(), ageSeconds: age };
}

/** Environment of the command for a loss; an empty value means not known. */
function factsFor(result: PromotionResult, loss: Loss): Readonly<Record<string, string>> {
  return {
    SYNCPOZO_SLAVE: result.slave.path,
    SYNCPOZO_POSITION: String(result.slave.position ?? ''),
    SYNCPOZO_LAST_TID: loss.afterTid,
    SYNCPOZO_LAST_TIME: loss.afterTime ?? '',
    SYNCPOZO_LAST_SYNC: result.lastSync ?? '',
    SYNCPOZO_LOSS: loss.certain ? 'certain' : 'possible',
    SYNCPOZO_LOST_TRANSACTIONS: String(loss.transactions ?? ''),
    SYNCPOZO_MASTER_TID: loss.masterTid ?? '',
  };
}
