import { dirname } from 'node:path';
import { milliseconds } from '../io/clock.js';
import { IoFault } from '../io/fault.js';
import { Interrupted } from '../pipeline/read-deadline.js';
import type { Log } from '../report/log.js';
import { HANG_HINT, recordHang } from '../round/record-hang.js';
import type { SyncResult } from '../round/result.js';
import type { SyncOptions } from '../round/run-sync.js';
import { isCurrent, isInStep, markOfSlave, RoundSession } from '../round/session.js';
import { servesHere } from '../round/supersede.js';
import { isPromoted } from '../standby/role-file.js';
import { readSwitch, type Switch } from '../standby/switch.js';
import { Figures } from './figures.js';
import { LagHistory } from './lag-history.js';
import { type Checked, type KnownState, MasterCheck } from './master-check.js';
import { MountGate } from './mount-gate.js';
import { RoundLog } from './round-log.js';
import { TermCheck } from './term-check.js';
import { Turn } from './turn.js';
import type { WatchedStorage } from './watched-storage.js';

/** From one round that checks the slave's bytes and scrubs to the next, and from one that is to try again. */
const [WHOLE_ROUND_MS, RETRY_MS] = [60_000, 10_000];

/**
 * What a watch knows of one storage between its rounds: whether there is anything for a round to do.
 *
 * Invariants:
 *  - A check is believed only behind a round that left all transactions on the slave, for a minute at most, and while
 *    nobody has changed the slave, its `.dat`, its role or the switch. In all other cases a round decides, under the lock.
 *  - Nothing of a round but its session and its result outlives it; after a read that was given up, only its result.
 */
export class StorageWatch {
  readonly figures: Figures;
  readonly lag = new LagHistory();
  readonly turn = new Turn();
  private readonly gate = new MountGate();
  private readonly masterCheck = new MasterCheck();
  private readonly termCheck = new TermCheck();
  private readonly log: RoundLog;
  private session: RoundSession;
  private result: SyncResult | undefined;
  private known: KnownState | undefined;
  /** By what the last round found itself switched off. */
  private offBy: 'switch' | 'role' | undefined;
  private wholeAt = Number.NEGATIVE_INFINITY;
  /** When the last round ended, by the clock of the process. */
  private endedAt = 0;

  constructor(
    readonly storage: WatchedStorage,
    log: Log,
    private readonly stop: AbortSignal,
    private readonly onResult: (result: SyncResult) => void,
    /** A long round gets on. */
    private readonly onProgress: () => void,
  ) {
    this.figures = new Figures(this.gate);
    this.log = new RoundLog(log, storage.name);
    this.session = this.newSession();
  }

  /** undefined: no round has ended, since the master's mount has hung. */
  get lastResult(): SyncResult | undefined {
    return this.result;
  }

  /** In a few words. */
  get summary(): string {
    if (this.figures.hungSince !== undefined) return "the master's mount hangs";
    if (this.isInStep) return 'in step';
    if (this.turn.isLong) return 'a round is running';
    return this.result?.reason ?? 'a round has begun';
  }

  /** Whether the last check or round has found or left the slave in step, a moment ago. */
  get isInStep(): boolean {
    return this.result !== undefined && isInStep(this.result) && !this.turn.isLong && !this.figures.hungSince;
  }

  async close(): Promise<void> {
    this.gate.close();
    await this.session.close();
  }

  /**
   * A check. `due`: a round has to decide. `hung`: the mount of the master hangs.
   *
   * @param now milliseconds since the epoch
   */
  async prepare(now: number): Promise<'due' | 'done' | 'hung'> {
    const { open, hungSeconds } = this.gate.check();
    if (!open) {
      this.hangs(now);
      return 'hung';
    }
    if (hungSeconds !== undefined) {
      this.log.note({ seconds: Math.round(hungSeconds) }, "the master's mount answers again");
    }
    this.figures.runningSince = now;
    this.turn.begin();
    const state = await this.checkNow(now);
    this.figures.runningSince = undefined;
    // What a check has found holds until the round has ended.
    if (state !== 'due') this.turn.end();
    return state;
  }

  private async checkNow(now: number): Promise<'due' | 'done' | 'hung'> {
    const began = milliseconds();
    const checked = await this.check(now);
    if (checked.kind === 'hung') {
      this.shut(now);
      return 'hung';
    }
    if (checked.kind === 'off' || checked.kind === 'torn' || checked.kind === 'same') {
      this.figures.addCheck(now, (milliseconds() - began) / 1000);
      if (checked.kind !== 'same') return 'done';
      if (this.result && isInStep(this.result)) this.figures.inStepAsOf = now;
      this.lag.add(now, 0);
      return 'done';
    }
    if (checked.kind === 'behind') {
      const since = checked.since ?? now;
      this.turn.isBehind(since);
      this.lag.add(now, Math.max(0, now - since) / 1000);
    }
    return 'due';
  }

  private async check(now: number): Promise<Checked | { readonly kind: 'off' | 'hung' }> {
    const { known, result, offBy } = this;
    if (result?.action === 'off' && this.isStillOff(offBy))
      return { kind: (await this.termCheck.isBeaten(this.storage.round)) ? 'changed' : 'off' };
    if (!known || !result || !isCurrent(result) || this.isRoundDue(result, now) || this.isChanged)
      return { kind: 'changed' };
    try {
      return await this.masterCheck.check(known, this.session.deadline);
    } catch (error) {
      if (error instanceof Interrupted) return { kind: 'off' };
      if (!(error instanceof IoFault)) throw error;
      this.log.error({ master: known.masterPath, hint: HANG_HINT }, error.message);
      return { kind: 'hung' };
    }
  }

  /** By somebody else, on this side. */
  private get isChanged(): boolean {
    return this.session.isChanged() || this.switchNow() !== 'on';
  }

  /** By the role alone: a server changes its file all the time. */
  private isStillOff(offBy: 'switch' | 'role' | undefined): boolean {
    if (milliseconds() - this.endedAt >= RETRY_MS && servesHere(this.storage.round)) return false;
    if (offBy === 'switch') return this.switchNow() === 'off';
    const { result } = this;
    return this.switchNow() === 'on' && result !== undefined && isPromoted({ role: `${result.slave.path}.role` });
  }

  /** undefined: it is unclear or cannot be read, and the round reports why. */
  private switchNow(): Switch | undefined {
    try {
      return readSwitch(this.storage.round.statusFile);
    } catch {
      return undefined;
    }
  }

  /** What the round gets that begins now. */
  begin(now: number): SyncOptions {
    const isWhole = this.isWholeDue(now);
    if (isWhole) this.session.forget();
    const { session, storage, log, onProgress } = this;
    this.figures.runningSince = now;
    this.turn.begin();
    return { ...storage.round, session, log, scrub: isWhole ? storage.scrub : 0, onProgress };
  }

  /** Notes how the round has ended that began at `now`. Returns false if the mount of the master hangs. */
  end(result: SyncResult, now: number, seconds: number): boolean {
    this.figures.runningSince = undefined;
    this.turn.end();
    const { result: before } = this;
    this.result = result;
    this.offBy = result.action !== 'off' ? undefined : this.switchNow() === 'on' ? 'role' : 'switch';
    this.figures.addRound(now, seconds, result);
    this.endedAt = milliseconds();
    this.onResult(result);
    if (isCurrent(result)) {
      if (this.isWholeDue(now)) this.wholeAt = now;
      this.succeeded(result, before, now);
    } else this.lag.add(now, null);
    if (this.session.deadline.stuck) this.shut(now);
    return this.figures.hungSince === undefined;
  }

  /** The next whole round, or one that tries again what was missing on the master. */
  private isRoundDue(result: SyncResult, now: number): boolean {
    return this.isWholeDue(now) || (!isInStep(result) && milliseconds() - this.endedAt >= RETRY_MS);
  }

  private isWholeDue(now: number): boolean {
    return now - this.wholeAt >= WHOLE_ROUND_MS || now < this.wholeAt;
  }

  private succeeded(result: SyncResult, before: SyncResult | undefined, now: number): void {
    const { master, slave } = result;
    const { claim, lastTid } = slave;
    this.known = claim === null || lastTid === null ? undefined : { masterPath: master.path, claim, lastTid };
    if (!isInStep(result)) return;
    this.figures.inStepAsOf = now;
    if (result.action === 'full' || result.action === 'adopt')
      this.log.note({ action: result.action, seconds: result.seconds }, result.reason);
    if (result.action === 'none' || result.action === 'append') this.lag.add(now, 0);
    if (before && isInStep(before)) return;
    this.log.forget();
    this.log.note({ master: master.path, slave: slave.path, claim: slave.claim, lastTime: slave.lastTime }, 'in step');
  }

  /** Leaves the session behind with the read that hangs; its threads end when that returns. */
  private shut(now: number): void {
    this.gate.shut(this.known?.masterPath ?? this.storage.round.master, this.session.deadline, now);
    this.session.close().catch(() => {});
    this.session = this.newSession();
    this.masterCheck.forget();
    // What was found before is not known any more, also when the mount seems to answer and the next read hangs again.
    this.result = undefined;
    this.hangs(now);
  }

  private hangs(now: number): void {
    this.lag.add(now, null);
    const since = this.gate.dueReport();
    if (since !== undefined) recordHang(this.storage.round, since, this.log);
  }

  private readonly newSession = (): RoundSession =>
    new RoundSession(this.storage.timeoutSeconds, this.stop, this.onProgress);

  /** Differs when somebody has changed something on this side. */
  get ownMark(): string {
    const slave = this.result?.slave.path;
    return `${this.switchNow()} ${slave === undefined ? '' : markOfSlave(slave)}`;
  }

  /** The directory of the master, where a change may mean a commit; undefined: no round has found it. */
  get masterDirectory(): string | undefined {
    return this.known && dirname(this.known.masterPath);
  }
}
