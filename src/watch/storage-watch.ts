import { dirname } from 'node:path';
import { milliseconds } from '../io/clock.js';
import { IoFault } from '../io/fault.js';
import { Interrupted } from '../pipeline/read-deadline.js';
import type { Log } from '../report/log.js';
import { HANG_HINT, recordHang } from '../round/record-hang.js';
import type { SyncResult } from '../round/result.js';
import { runSync } from '../round/run-sync.js';
import { isCurrent, isInStep, markOfSlave, RoundSession } from '../round/session.js';
import { readOutcome, type TroubleKind } from '../standby/outcome-file.js';
import { readSwitch } from '../standby/switch.js';
import { Figures } from './figures.js';
import { LagHistory } from './lag-history.js';
import { type Checked, type KnownState, MasterCheck } from './master-check.js';
import { MountGate } from './mount-gate.js';
import { Pace } from './pace.js';
import { RoundLog } from './round-log.js';
import { Wake } from './wake.js';
import type { Turns, WatchedStorage } from './watched-storage.js';

/** A round that checks the slave's bytes and scrubs, even if nothing is new. */
const WHOLE_ROUND_MS = 60_000;
/** Between two checks that changes of the master's directory bring forward, as a part of the interval. */
const LEAST_PART = 4;

/**
 * The rounds of one storage, one after the other. Before each it checks whether there is anything for a round to do.
 *
 * Invariants:
 *  - A check is believed only behind a round that left all transactions on the slave, for a minute at most, and while
 *    nobody has changed the slave, its `.dat`, its role or the switch. In all other cases a round decides, under the lock.
 *  - Nothing of the last round but its session and its result outlives it. After a read that was given up, the session
 *    is left behind as well.
 */
export class StorageWatch {
  readonly figures: Figures;
  readonly lag = new LagHistory();
  private readonly gate = new MountGate();
  private readonly masterCheck = new MasterCheck();
  private readonly pace: Pace;
  private readonly wake = new Wake();
  private readonly log: RoundLog;
  private session: RoundSession;
  private turns: Turns | undefined;
  private result: SyncResult | undefined;
  private known: KnownState | undefined;
  /** By what the last round found itself switched off. */
  private offBy: 'switch' | 'role' | undefined;
  private wholeAt = Number.NEGATIVE_INFINITY;

  constructor(
    readonly storage: WatchedStorage,
    intervalMs: number,
    log: Log,
    private readonly stop: AbortSignal,
    private readonly onResult: (result: SyncResult) => void = () => {},
  ) {
    this.figures = new Figures(this.gate);
    this.pace = new Pace(intervalMs);
    this.log = new RoundLog(log, storage.name);
    this.session = this.newSession();
  }

  /** How the last round ended; undefined: none has, since the master's mount has hung. */
  get lastResult(): SyncResult | undefined {
    return this.result;
  }

  /** In a few words. */
  get summary(): string {
    if (this.figures.hungSince !== undefined) return "the master's mount hangs";
    if (this.isInStep) return 'in step';
    return this.result?.reason ?? 'a round has begun';
  }

  /** Whether the last check or round has found or left the slave in step. */
  get isInStep(): boolean {
    return this.result !== undefined && isInStep(this.result) && this.figures.hungSince === undefined;
  }

  /** Checks and rounds until the signal. */
  async run(turns: Turns): Promise<void> {
    this.turns = turns;
    while (!this.stop.aborted) {
      const began = milliseconds();
      const answered = await this.turn();
      if (this.stop.aborted) break;
      turns.end(answered);
      await this.untilDue(began);
    }
    this.wake.close();
    this.gate.close();
    await this.session.close();
  }

  /** One check, and a round if it needs one. Returns false while the master's mount hangs. */
  private async turn(): Promise<boolean> {
    const now = Date.now();
    const { open, hungSeconds } = this.gate.check(now);
    if (!open) return this.hangs(now);
    if (hungSeconds !== undefined) {
      const seconds = Math.round(hungSeconds);
      this.log.note({ seconds }, "the master's mount answers again");
    }
    this.figures.runningSince = now;
    try {
      return await this.checkOrRound(now);
    } finally {
      this.figures.runningSince = undefined;
    }
  }

  private async checkOrRound(now: number): Promise<boolean> {
    const began = milliseconds();
    const checked = await this.check(now);
    if (checked.kind === 'hung') return this.shut(now);
    if (checked.kind === 'off' || checked.kind === 'torn' || checked.kind === 'same') {
      this.figures.addCheck(now, (milliseconds() - began) / 1000);
      if (checked.kind !== 'same') return true;
      if (this.result && isInStep(this.result)) this.figures.inStepAsOf = now;
      this.lag.add(now, 0);
      return true;
    }
    if (checked.kind === 'behind' && checked.since !== undefined)
      this.lag.add(now, Math.max(0, now - checked.since) / 1000);
    return this.round(now);
  }

  private async check(now: number): Promise<Checked | { readonly kind: 'off' | 'hung' }> {
    const { known, result, offBy } = this;
    if (result?.action === 'off' && this.isStillOff(offBy)) return { kind: 'off' };
    const isDue = now - this.wholeAt >= WHOLE_ROUND_MS || now < this.wholeAt;
    if (!known || !result || !isCurrent(result) || isDue || this.session.isChanged() || !this.isSwitchedOn())
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

  private isStillOff(offBy: 'switch' | 'role' | undefined): boolean {
    return offBy === 'switch' ? !this.isSwitchedOn() : !this.session.isChanged() && this.isSwitchedOn();
  }

  /** False also where the status file cannot be read: the round reports why. */
  private isSwitchedOn(): boolean {
    try {
      return readSwitch(this.storage.round.statusFile) === 'on';
    } catch {
      return false;
    }
  }

  private async round(now: number): Promise<boolean> {
    const began = milliseconds();
    const isWhole = now - this.wholeAt >= WHOLE_ROUND_MS || now < this.wholeAt;
    if (isWhole) this.session.forget();
    const { session, storage, log } = this;
    const result = await runSync({
      ...storage.round,
      session,
      log,
      scrub: isWhole ? storage.scrub : 0,
      onProgress: () => this.turns?.progress(),
    });
    if (this.stop.aborted) return true;
    const before = this.result;
    this.result = result;
    this.offBy = result.action !== 'off' ? undefined : this.isSwitchedOn() ? 'role' : 'switch';
    this.figures.addRound(now, (milliseconds() - began) / 1000, result, troubleOf(result));
    this.onResult(result);
    if (isCurrent(result)) {
      if (isWhole) this.wholeAt = now;
      this.succeeded(result, before, now);
    } else {
      if (result.action === 'failed' || result.action === 'refused') this.pace.failed();
      else this.pace.succeeded();
      this.lag.add(now, null);
    }
    return session.deadline.stuck ? this.shut(now) : true;
  }

  private succeeded(result: SyncResult, before: SyncResult | undefined, now: number): void {
    this.pace.succeeded();
    const { master, slave } = result;
    this.known = slave.claim === null ? undefined : { masterPath: master.path, claim: slave.claim };
    this.wake.follow(dirname(master.path));
    if (!isInStep(result)) return;
    this.figures.inStepAsOf = now;
    if (NEW_FILE.has(result.action)) this.log.note({ action: result.action, seconds: result.seconds }, result.reason);
    if (result.action === 'none' || result.action === 'append') this.lag.add(now, 0);
    if (before && isInStep(before)) return;
    this.log.forget();
    this.log.note({ master: master.path, slave: slave.path, claim: slave.claim, lastTime: slave.lastTime }, 'in step');
  }

  /** Leaves the session behind with the read that hangs. */
  private shut(now: number): false {
    this.gate.shut(this.known?.masterPath ?? this.storage.round.master, this.session.deadline, now);
    // Its threads end when the read returns.
    this.session.close().catch(() => {});
    this.session = this.newSession();
    this.masterCheck.forget();
    // What was found before is not known any more, also when the mount seems to answer and the next read hangs again.
    this.result = undefined;
    return this.hangs(now);
  }

  private hangs(now: number): false {
    this.lag.add(now, null);
    const since = this.gate.dueReport(now);
    if (since !== undefined) recordHang(this.storage.round, since, this.log);
    return false;
  }

  private newSession(): RoundSession {
    return new RoundSession(this.storage.timeoutSeconds, this.stop, () => this.turns?.progress());
  }

  /** After failures a pause is long; a change on this side, by a person or another program, ends it. */
  private async untilDue(began: number): Promise<void> {
    const { intervalMs, isFailing } = this.pace;
    const dueAt = began + this.pace.pauseMs();
    const before = isFailing ? this.ownMark() : '';
    for (let left = dueAt - milliseconds(); left > 0 && !this.stop.aborted; left = dueAt - milliseconds()) {
      await this.wake.wait(Math.min(left, intervalMs), intervalMs / LEAST_PART, this.stop);
      if (!isFailing || this.ownMark() !== before) return;
    }
  }

  private ownMark(): string {
    const slave = this.result?.slave.path;
    return `${this.isSwitchedOn()} ${slave === undefined ? '' : markOfSlave(slave)}`;
  }
}

/** A rebuild is an event. */
const NEW_FILE: ReadonlySet<SyncResult['action']> = new Set(['full', 'adopt']);

/** The kind of trouble that the round has recorded; undefined: none. */
function troubleOf({ exitCode, slave }: SyncResult): TroubleKind | undefined {
  if (exitCode === 0) return undefined;
  const recorded = readOutcome({ outcome: `${slave.path}.outcome` });
  return ('outcome' in recorded && recorded.outcome.trouble?.kind) || 'fault';
}
