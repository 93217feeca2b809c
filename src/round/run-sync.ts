import type { SlaveEvent } from '../events/event.js';
import { milliseconds } from '../io/clock.js';
import { factsBehindPath, factsOfPath } from '../io/facts.js';
import { AdaptiveSource } from '../pipeline/adaptive-source.js';
import { DEFAULT_CHUNK_BYTES, fittingChunkBytes } from '../pipeline/chunk-table.js';
import { Interrupted, ReadDeadline } from '../pipeline/read-deadline.js';
import { Window } from '../pipeline/window.js';
import type { Work } from '../pipeline/work.js';
import { type Log, SILENT } from '../report/log.js';
import { refuseOpened } from '../standby/in-use.js';
import { Lock } from '../standby/lock.js';
import { readOutcome } from '../standby/outcome-file.js';
import { fileOf, nameInDirectory, type SlavePaths, slavePaths, slaveSide } from '../standby/paths.js';
import { isPromoted } from '../standby/role-file.js';
import { DEFAULT_STATUS_FILE, readSwitch, type Switch } from '../standby/switch.js';
import { PROMOTED } from '../sync/decide.js';
import { lockedOut, type Outcome, sync } from '../sync/sync.js';
import { CATCH_UP_BATCHES, onlyAppend } from './catch-up.js';
import { EXIT } from './exit.js';
import { findSideOrFault } from './find-master.js';
import { logError, logOutcome, logPlan } from './outcome-log.js';
import { OutcomeRecorder } from './recorder.js';
import { plainResult, type Round, type SyncResult } from './result.js';
import { refuseSameFile } from './same-file.js';
import { isCurrent } from './session.js';
import { findSuperseded, findSupersededWhileOff, type Superseded } from './supersede.js';
import type { SyncOptions } from './sync-options.js';
import { troubleOfError, troubleOfOutcome } from './trouble.js';
import { workersOf } from './workers.js';

export type { SyncResult } from './result.js';
export type { Member, RejoinRound, SyncOptions } from './sync-options.js';

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
    if (!options.catchUp || isCurrent(result)) events = recorder?.record(result, troubleOfOutcome(outcome)) ?? [];
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
    // What keeps a slave from being caught up is reported with its promotion.
    if (!options.catchUp) events = recorder?.record(result, trouble) ?? [];
    return result;
  };
  const superseded = ({ reason, hint, event }: Superseded, itsRecorder: OutcomeRecorder): SyncResult => {
    const result = plainResult(
      { ...timed(), slavePath: itsRecorder.paths.data },
      'refused',
      EXIT.refused,
      reason,
      hint,
    );
    log.error({ master: result.master.path, slave: result.slave.path, exitCode: EXIT.refused, hint }, reason);
    recorder = itsRecorder;
    events = event ? [event] : recorder.record(result, 'refused');
    return result;
  };
  const masterBlobs = typeof options.blobs === 'object' ? options.blobs.master : undefined;
  log.info({}, 'Script has started synchronization');
  try {
    const statusFile = options.statusFile ?? DEFAULT_STATUS_FILE;
    const { rejoin } = options;
    const switchNow = (): Switch => (rejoin || options.catchUp ? 'on' : readSwitch(statusFile));
    if (switchNow() === 'off') {
      const found = dryRun ? undefined : await findSupersededWhileOff(options);
      if (found) return superseded(found, new OutcomeRecorder(found.paths, log, options.storage));
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
          ...(options.catchUp && { narrow: onlyAppend }),
          isAsLeft: () => rejoin?.isAsLeft ?? session?.isAsLeft() === true,
          rejoins: rejoin !== undefined,
          onPlan: (plan) => {
            rejoin?.gate(plan, masterFacts?.size ?? 0);
            if (plan.kind === 'none' && mayBeInUse()) refuseOpened(paths);
            logPlan(plan, log);
          },
        });
      } finally {
        if (!session) await source.close();
      }
    };
    // Held even for a moment, the lock could keep the server of a promoted slave from starting.
    const serving = async (): Promise<SyncResult> => {
      const found = dryRun ? undefined : await findSuperseded(paths, master, deadline, options.storage);
      return found
        ? superseded(found, new OutcomeRecorder(paths, log, options.storage))
        : ended(lockedOut('other', paths));
    };
    if (isPromoted(paths)) return await serving();
    const holder = rejoin ? undefined : dryRun ? Lock.probe(paths.lock) : Lock.take(paths.lock, paths.directoryFacts);
    if (holder?.kind === 'other') return await serving();
    if (holder?.kind === 'syncpozo') return ended(lockedOut(holder.kind, paths));
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
    keepPacked: options.keepPacked,
    beforeWriting: () => refuseOpened(paths),
    ...(options.member
      ? { companion: options.member, batchBytes: Number.POSITIVE_INFINITY, batchMilliseconds: Number.POSITIVE_INFINITY }
      : {
          batchBytes: options.batchBytes ?? BATCH_BYTES,
          batchMilliseconds: BATCH_MILLISECONDS,
          ...(options.catchUp && CATCH_UP_BATCHES),
        }),
    indexThreadFrom: source.threadsFrom,
    ...(options.index !== false && { indexLagBytes: options.indexLagBytes ?? INDEX_LAG_BYTES }),
  };
}
