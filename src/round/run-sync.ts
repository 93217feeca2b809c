import type { BlobSettings, OnBlobs } from '../blobs/settings.js';
import type { SlaveEvent } from '../events/event.js';
import { milliseconds } from '../io/clock.js';
import { type FileFacts, factsBehindPath, factsOfPath } from '../io/facts.js';
import { AdaptiveSource } from '../pipeline/adaptive-source.js';
import { DEFAULT_CHUNK_BYTES, fittingChunkBytes } from '../pipeline/chunk-table.js';
import type { Companion } from '../pipeline/companion.js';
import { Interrupted, ReadDeadline } from '../pipeline/read-deadline.js';
import { Window } from '../pipeline/window.js';
import type { Work } from '../pipeline/work.js';
import { type Log, SILENT } from '../report/log.js';
import type { ScrubAmount } from '../scrub/round.js';
import { refuseOpened } from '../standby/in-use.js';
import { Lock } from '../standby/lock.js';
import { readOutcome } from '../standby/outcome-file.js';
import { fileOf, nameInDirectory, PathMistake, type SlavePaths, slavePaths, slaveSide } from '../standby/paths.js';
import { isPromoted } from '../standby/role-file.js';
import { DEFAULT_STATUS_FILE, readSwitch, type Switch } from '../standby/switch.js';
import { PROMOTED } from '../sync/decide.js';
import type { Plan } from '../sync/facts.js';
import { lockedOut, type Outcome, sync } from '../sync/sync.js';
import { EXIT } from './exit.js';
import { findSideOrFault } from './find-master.js';
import { logError, logOutcome, logPlan } from './outcome-log.js';
import { OutcomeRecorder } from './recorder.js';
import { plainResult, type Round, type SyncResult } from './result.js';
import type { RoundSession } from './session.js';
import { troubleOfError, troubleOfOutcome } from './trouble.js';
import { workersOf } from './workers.js';

export type { SyncResult } from './result.js';

export interface SyncOptions {
  /** Data directory, or the path of the file itself. */
  readonly master: string;
  readonly slave: string;
  readonly full?: boolean;
  readonly dryRun?: boolean;
  /** Name of the file in a directory; for the default see nameInDirectory. */
  readonly file?: string | undefined;
  readonly statusFile?: string;
  readonly chunkBytes?: number;
  readonly windowBytes?: number;
  readonly batchBytes?: number;
  readonly workers?: number;
  /** How much of the bytes copied earlier is read again; nothing by default. */
  readonly scrub?: ScrubAmount;
  /** undefined: no blobs; `given-up`: the slave's blobs are not synced any more. */
  readonly blobs?: BlobSettings | 'given-up' | undefined;
  readonly onBlobs?: OnBlobs;
  /** false: no index is written beside the slave. */
  readonly index?: boolean;
  readonly indexLagBytes?: number;
  readonly log?: Log;
  readonly deadline?: ReadDeadline;
  /** What is kept from round to round; it has its own deadline. */
  readonly session?: RoundSession | undefined;
  readonly onProgress?: (position: number, size: number) => void;
  /** The storage's name in the configuration, for its events. */
  readonly storage?: string | undefined;
  /** Called once the lock is released and the outcome is recorded. It does not throw. */
  readonly onEvents?: (events: readonly SlaveEvent[]) => void;
  /** The other storages of a group; see runTogether. */
  readonly member?: Member;
  readonly rejoin?: RejoinRound;
}

/** A round of a rejoin: its caller holds the slave's lock, and the switch and the role do not keep the round from its work. */
export interface RejoinRound {
  /** The slave and its `.dat` are as this process left them. */
  readonly isAsLeft: boolean;
  /** Receives the plan, and throws if it must not be executed. */
  readonly gate: (plan: Plan) => void;
}

/** One storage of a group. */
export interface Member extends Companion {
  /** Whether the group starts over because of this error: it is neither logged nor recorded. */
  startsOver(error: unknown): boolean;
}

const MIB = 1 << 20;
const TIMEOUT_SECONDS = 30;
const WINDOW_BYTES = MIB;
const BATCH_BYTES = 256 * MIB;
const BATCH_MILLISECONDS = 10_000;
/** FileStorage scans this much in well under a second. */
const INDEX_LAG_BYTES = 64 * MIB;

/** One round of the sync, as `syncpozo sync` runs it. Returns faults as a result; throws none. */
export async function runSync(options: SyncOptions): Promise<SyncResult> {
  const began = milliseconds();
  const log = options.log ?? SILENT;
  const dryRun = options.dryRun === true;
  let round: Round = { masterPath: options.master, slavePath: options.slave, dryRun, seconds: 0 };
  let recorder: OutcomeRecorder | undefined;
  let events: readonly SlaveEvent[] = [];
  const timed = (): Round => ({ ...round, seconds: Math.round(milliseconds() - began) / 1000 });
  const ended = (outcome: Outcome): SyncResult => {
    const result = logOutcome(outcome, timed(), log);
    events = recorder?.record(result, troubleOfOutcome(outcome)) ?? [];
    return result;
  };
  const failed = (error: unknown): SyncResult => {
    // The stop of a watch in the middle of a round is no fault.
    const isStopped = error instanceof Interrupted && options.session !== undefined;
    if (isStopped || options.member?.startsOver(error))
      return plainResult(timed(), 'failed', EXIT.fault, error instanceof Error ? error.message : '');
    const trouble = troubleOfError(error, options.master, round.masterPath, masterBlobs);
    if (trouble === 'out-of-reach' && recorder?.isPromoted) {
      log.info({ master: round.masterPath, slave: round.slavePath, reason: PROMOTED }, 'NOT SYNCING FROM MASTER');
      return plainResult(timed(), 'off', EXIT.ok, PROMOTED);
    }
    const result = logError(error, timed(), log);
    events = recorder?.record(result, trouble) ?? [];
    return result;
  };
  const masterBlobs = typeof options.blobs === 'object' ? options.blobs.master : undefined;
  log.info({}, 'Script has started synchronization');
  try {
    const statusFile = options.statusFile ?? DEFAULT_STATUS_FILE;
    const { rejoin } = options;
    const switchNow = (): Switch => (rejoin ? 'on' : readSwitch(statusFile));
    if (switchNow() === 'off') {
      log.info({ statusFile }, 'NOT SYNCING FROM MASTER');
      return plainResult(timed(), 'off', EXIT.ok, `the status file ${statusFile} says SYNCING=0`);
    }
    const { session } = options;
    const deadline = session?.deadline ?? options.deadline ?? new ReadDeadline(TIMEOUT_SECONDS);
    // Checks SLAVE for mistakes before it accesses MASTER, which may hang.
    const ours = slaveSide(options.slave, options.file);
    const theirs = await findSideOrFault(options.master, options.file, deadline, session !== undefined);
    const paths = slavePaths(options.slave, options.file, theirs);
    recorder = new OutcomeRecorder(paths, log, options.storage);
    if (theirs.fault) throw theirs.fault;
    const master = fileOf(theirs, nameInDirectory(options.file, ours));
    round = { ...round, masterPath: master, slavePath: paths.data };
    const masterFacts = await deadline.wait(factsBehindPath(master), 'stat', master);
    const slaveFacts = refuseSameFile(masterFacts, paths);
    const requested = options.chunkBytes ?? DEFAULT_CHUNK_BYTES;
    const chunkBytes = fittingChunkBytes(requested, masterFacts?.size ?? 0);
    const make = (): AdaptiveSource => sourceOf(options, chunkBytes, deadline);
    const source = session ? await session.source(chunkBytes, make) : make();
    const stays = options.full ? 0 : (slaveFacts?.size ?? 0);
    // A run that writes always checks. One with nothing new would pay more for it than for all the rest, so it checks only
    // where the lock file was removed, and until the program that had the slave open is gone.
    const lockWasMissing = !dryRun && factsOfPath(paths.lock) === undefined;
    const mayBeInUse = (): boolean => !dryRun && (lockWasMissing || lastExit(paths) === EXIT.inUse);
    const syncUnderLock = async (): Promise<Outcome> => {
      log.info({ master, slave: paths.data }, 'Start syncing');
      const work = workOf(options, source, paths, deadline, log);
      try {
        if (!dryRun) await source.expect((masterFacts?.size ?? 0) - stays);
        return await sync(work, {
          masterPath: master,
          full: options.full === true,
          dryRun,
          chunkBytes,
          scrub: options.scrub ?? 0,
          blobs: options.blobs,
          onBlobs: options.onBlobs ?? (() => {}),
          readSwitch: switchNow,
          isAsLeft: () => rejoin?.isAsLeft ?? session?.isAsLeft() === true,
          rejoins: rejoin !== undefined,
          onPlan: (plan) => {
            rejoin?.gate(plan);
            if (plan.kind === 'none' && mayBeInUse()) refuseOpened(paths);
            logPlan(plan, log);
          },
        });
      } finally {
        if (!session) await source.close();
      }
    };
    // Held even for a moment, the lock could keep the server of a promoted slave from starting.
    if (isPromoted(paths)) return ended(lockedOut('other', paths));
    const holder = rejoin ? undefined : dryRun ? Lock.probe(paths.lock) : Lock.take(paths.lock, paths.directoryFacts);
    if (holder !== undefined && holder.kind !== 'held') return ended(lockedOut(holder.kind, paths));
    try {
      recorder.underLock();
      const result = await syncUnderLock().then(ended, failed);
      session?.leave(paths, result);
      return result;
    } finally {
      holder?.lock.release();
    }
  } catch (error) {
    return failed(error);
  } finally {
    recorder?.publish(events, options.onEvents);
  }
}

function lastExit(paths: SlavePaths): number | undefined {
  const last = readOutcome(paths);
  return 'outcome' in last ? last.outcome.exitCode : undefined;
}

/** Refuses to sync a file onto itself under another name. Returns the slave's facts. */
function refuseSameFile(theirs: FileFacts | undefined, paths: SlavePaths): FileFacts | undefined {
  const ours = factsOfPath(paths.data);
  if (theirs && ours && theirs.device === ours.device && theirs.inode === ours.inode) {
    throw new PathMistake(
      'MASTER and SLAVE are the same file',
      'name the directory of the master first, then that of the slave',
    );
  }
  return ours;
}

function sourceOf(options: SyncOptions, chunkBytes: number, deadline: ReadDeadline): AdaptiveSource {
  // The main thread is busy writing.
  const workers = workersOf(options.workers, 1);
  return new AdaptiveSource(new Window(options.windowBytes ?? WINDOW_BYTES), workers, deadline, {
    chunkBytes,
    onProgress: options.onProgress ?? (() => {}),
  });
}

function workOf(
  options: SyncOptions,
  source: AdaptiveSource,
  paths: SlavePaths,
  deadline: ReadDeadline,
  log: Log,
): Work {
  return {
    paths,
    source,
    deadline,
    report: ({ level, message, fields }) => log[level](fields ?? {}, message),
    reportsBlobs: options.blobs === undefined,
    beforeWriting: () => refuseOpened(paths),
    ...(options.member
      ? { companion: options.member, batchBytes: Number.POSITIVE_INFINITY, batchMilliseconds: Number.POSITIVE_INFINITY }
      : { batchBytes: options.batchBytes ?? BATCH_BYTES, batchMilliseconds: BATCH_MILLISECONDS }),
    indexThreadFrom: source.threadsFrom,
    ...(options.index !== false && { indexLagBytes: options.indexLagBytes ?? INDEX_LAG_BYTES }),
  };
}
