import { basename } from 'node:path';
import { formatTid, tidToIso } from '../filestorage/tid.js';
import { factsOfPath } from '../io/facts.js';
import { IoFault } from '../io/fault.js';
import { usableDat } from '../pipeline/observe.js';
import { Window } from '../pipeline/window.js';
import type { PromotionResult } from '../report/promotion.js';
import { EXIT, type ExitCode, exitOfError, hintOf } from '../round/exit.js';
import { readDatFile, readDatOf } from '../standby/dat-file.js';
import { refuseOpened, SlaveInUse } from '../standby/in-use.js';
import { Lock } from '../standby/lock.js';
import { lastInStep } from '../standby/outcome-file.js';
import { PathMistake, type SlavePaths, slavePaths } from '../standby/paths.js';
import { lastTerm } from '../standby/role.js';
import { carryOver, RoleRefusal, roleToPromote } from '../standby/role-of.js';
import { isPlain } from '../standby/superseded.js';
import { type Evicted, type Eviction, evict } from '../takeover/evict.js';
import { checkLastBlobs } from '../takeover/last-blobs.js';
import { NothingToServe, publishPromotion, settle } from '../takeover/promotion.js';
import type { IndexLimits } from '../takeover/promotion-index.js';
import type { CatchUp } from './catch-up.js';
import { lossOf, lossWhileServed, type MasterAnswer, NOT_ASKED } from './loss.js';
import { tooOld } from './promote-age.js';
import { catchUpFirst } from './promote-catch-up.js';
import { ageOf, factsFor, plain, resultOf, withBlobs } from './promote-result.js';
import { PromotionSwitch } from './promote-switch.js';
import { type AgainstMaster, isAhead, nextTerm, termOfMaster, UNKNOWN, withUnused } from './promote-term.js';
import { sideOfFile } from './side-of-file.js';

export interface PromoteOptions extends AgainstMaster {
  /** Data directory, or the path of the file itself. */
  readonly slave: string;
  readonly statusFile: string;
  /** How long a running sync may take to end before it is killed. */
  readonly graceSeconds: number;
  /** Compare all chunks with their checksums, not just the last one. */
  readonly verify: boolean;
  readonly indexLimits?: IndexLimits | undefined;
  /** Probes the master, whose file in a directory has the given name. Must return in time, even if the master hangs. */
  readonly askMaster?: (fileName: string) => Promise<MasterAnswer>;
  /** Begins to bring the slave up to date with the master first. */
  readonly catchUp?: () => CatchUp;
  /** The master's server is not known to have ended: whatever the slave has, something may be lost. */
  readonly masterServes?: boolean;
  /** Older slaves are refused. */
  readonly maxAgeSeconds?: number | undefined;
  /** Called before the role is set, when transactions may be lost; returns the id of the process that it started. */
  readonly onLoss?: (facts: Readonly<Record<string, string>>) => number | undefined;
}

/** `plain`: it was never a slave, and no master has committed anything that it lacks, as far as can be known. */
type OwnOptions = PromoteOptions & { readonly plain?: boolean };

const WINDOW_BYTES = 1 << 20;
const NO_SLAVE = 'this side was no slave: it keeps what it has';

/**
 * Makes a slave ready to serve and reports what may be lost. Throws mistakes of the operator.
 *
 * The order matters. Turn the switch off, where it can be written, so that no sync begins. End a running sync and take
 * its lock. Bring the slave up to date, which is a sync of its own, and take the lock again. Complete the end of the file and make it durable. Start the command for a loss. Set the role, which no sync
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
    const ask = (): Promise<MasterAnswer> | undefined => options.askMaster?.(options.file ?? basename(paths.data));
    if (options.supersede) return await supersede(paths, options, ask);
    const probe = options.catchUp ? undefined : ask();
    return alreadyPromoted(paths, options) ?? (await promote(paths, options, () => probe ?? ask()));
  } catch (error) {
    const foreseen = [RoleRefusal, SlaveInUse, PathMistake, IoFault].some((kind) => error instanceof kind);
    if (!foreseen || !(error instanceof Error)) throw error;
    return {
      ...plain(paths, options.statusFile),
      exitCode: exitOfError(error),
      reason: error.message,
      hint: hintOf(error) ?? null,
    };
  }
}

/**
 * A person decides for this side, whatever it was. The term of the other one has to be known first. A side that is no slave
 * is not caught up: that takes a sync, for which it would have to become a slave, and a kill would leave it as one.
 */
async function supersede(
  paths: SlavePaths,
  options: PromoteOptions,
  ask: () => Promise<MasterAnswer> | undefined,
): Promise<PromotionResult> {
  const theirs = await termOfMaster(paths, options);
  if (!theirs) return { ...plain(paths, options.statusFile), exitCode: EXIT.refused, ...UNKNOWN };
  const own = sideOfFile(paths);
  const isSlave = 'role' in own && own.role === 'slave';
  const { catchUp, ...asItIs } = { ...options, theirs };
  const known = isSlave ? { ...options, theirs } : asItIs;
  const result = alreadyPromoted(paths, known) ?? (await promote(paths, known, ask));
  return isSlave || !catchUp || !result.promoted || result.already ? result : { ...result, catchUpProblem: NO_SLAVE };
}

/** Does not touch the lock: a server may be about to take it. */
function alreadyPromoted(paths: SlavePaths, options: PromoteOptions): PromotionResult | undefined {
  const facts = roleToPromote(paths, options.supersede);
  if (facts.role !== 'master' || (options.supersede && !isAhead(facts, options.theirs))) return undefined;
  const { promotion } = facts;
  const holder = Lock.probe(paths.lock);
  return {
    ...plain(paths, options.statusFile),
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
  ask: () => Promise<MasterAnswer> | undefined,
): Promise<PromotionResult> {
  const refused = (exitCode: ExitCode, reason: string, hint: string): PromotionResult => ({
    ...plain(paths, options.statusFile),
    exitCode,
    reason,
    hint,
  });
  if (!factsOfPath(paths.data)?.size) {
    const hint = "is the slave's disk mounted? A slave has to be synced before it can take over";
    return refused(EXIT.refused, `${paths.data} is missing or empty: ZEO would serve an empty database`, hint);
  }
  // Asked before the catch-up, a sync of its own, which may make a slave of it.
  const own = { ...options, plain: isPlain(paths) };
  const catchUp = options.catchUp?.();
  const first = await evict(paths.lock, paths.directoryFacts, options.graceSeconds);
  if (first.kind !== 'held') return refusedFor(first, refused);
  const { evicted } = first;
  let held: Lock | undefined = first.lock;
  try {
    refuseOpened(paths);
    if (!catchUp) return await promoteUnderLock(paths, own, evicted, ask());
    // Given up there, and taken again.
    held = undefined;
    const { report, answer, eviction } = await catchUpFirst(paths, catchUp, first, options.graceSeconds);
    if (eviction.kind !== 'held') return { ...refusedFor(eviction, refused), ...report };
    held = eviction.lock;
    refuseOpened(paths);
    // Whoever is in step has followed all terms. A person decides only against a term that is known at the end.
    const { termOfMaster: _, ...inStep } = own;
    const isInStep = answer && !('why' in answer) && !options.supersede;
    const result = answer
      ? await promoteUnderLock(paths, isInStep ? inStep : own, evicted, Promise.resolve(answer))
      : await promoteUnderLock(paths, own, evicted, ask());
    return own.plain && !result.loss?.possible ? result : { ...result, ...report };
  } finally {
    held?.release();
  }
}

function refusedFor(
  eviction: Exclude<Eviction, { kind: 'held' }>,
  refused: (exitCode: ExitCode, reason: string, hint: string) => PromotionResult,
): PromotionResult {
  const { kind, holder } = eviction;
  if (kind === 'stays')
    return refused(EXIT.fault, `the slave's lock is held (${holder}) and cannot be had`, eviction.why);
  const hint = 'is it a ZEO server that serves the slave already? Then there is nothing to do; otherwise end it first';
  return refused(EXIT.inUse, `another program holds the slave's lock (it names: ${holder})`, hint);
}

/** The part of a promotion that requires the slave's lock. */
export async function promoteUnderLock(
  paths: SlavePaths,
  options: OwnOptions,
  evicted: Evicted | undefined,
  probe: Promise<MasterAnswer> | undefined,
): Promise<PromotionResult> {
  try {
    // What it makes durable is published with the new term as well, or not at all.
    if (!options.supersede) carryOver(paths, readDatFile(paths));
    // Another promotion may have run until now, and a sync may have published something.
    return alreadyPromoted(paths, options) ?? (await setRole(paths, options, evicted, probe));
  } catch (error) {
    if (!(error instanceof NothingToServe)) throw error;
    const hint = 'is SLAVE the right file? Nothing was changed in it';
    return { ...plain(paths, options.statusFile), exitCode: EXIT.refused, reason: error.message, hint };
  }
}

async function setRole(
  paths: SlavePaths,
  options: OwnOptions,
  evicted: Evicted | undefined,
  probe: Promise<MasterAnswer> | undefined,
): Promise<PromotionResult> {
  const before = await withUnused(paths, roleToPromote(paths, options.supersede));
  const inode = factsOfPath(paths.data)?.inode;
  // That of a side that has served is out of date.
  const { dat } = before.role === 'slave' ? usableDat(readDatOf(paths, inode), inode) : { dat: undefined };
  const promotion = { lastSync: dat && lastInStep(paths), at: Date.now() };
  const { maxAgeSeconds } = options;
  const old =
    maxAgeSeconds !== undefined &&
    (await tooOld(paths, dat, promotion.lastSync, maxAgeSeconds, new Window(WINDOW_BYTES)));
  if (old) return { ...plain(paths, options.statusFile), exitCode: EXIT.refused, ...old, sync: evicted ?? null };
  const answer = probe ? await probe : NOT_ASKED;
  const next = await nextTerm(paths, before, 'why' in answer && !options.supersede && !options.force ? {} : options);
  if ('reason' in next)
    return { ...plain(paths, options.statusFile), exitCode: EXIT.refused, ...next, sync: evicted ?? null };
  const settled = await settle(paths, dat, new Window(WINDOW_BYTES), {
    all: options.verify,
    indexLimits: options.indexLimits,
  });
  const known = lossOf(settled, answer, options.plain === true && !options.supersede);
  const loss = options.masterServes === true ? lossWhileServed(known) : known;
  const done = { ...promotion, position: settled.position, tid: settled.tid };
  const { term } = next;
  const blobs = dat?.blobs && checkLastBlobs(paths, dat.blobs, new Window(WINDOW_BYTES));
  const result = withBlobs(
    { ...resultOf(paths, options.statusFile, settled, done), term, sync: evicted ?? null, loss },
    blobs,
  );
  const onLoss = (loss.possible && options.onLoss?.(factsFor(result, loss))) || null;
  publishPromotion(paths, settled, dat, before, { ...done, term });
  return { ...result, onLoss };
}
