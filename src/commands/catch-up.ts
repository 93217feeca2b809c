import { resolve } from 'node:path';
import type { BlobSettings } from '../blobs/settings.js';
import { firstLineInTime } from '../io/child.js';
import { milliseconds } from '../io/clock.js';
import { answersInTime } from '../io/mount.js';
import { EXIT } from '../round/exit.js';
import type { SyncResult } from '../round/result.js';
import type { MasterAnswer } from './loss.js';

/** The master from which a slave is brought up to date before it is promoted. */
export interface CatchUpSource {
  /** Path of this program. */
  readonly program: string;
  /** As given. */
  readonly master: string;
  readonly slave: string;
  readonly blobs: BlobSettings | 'given-up' | undefined;
  /** For all of it. */
  readonly seconds: number;
  /** Without progress, after which the master counts as out of reach. */
  readonly patienceSeconds: number;
  /** Further options of the sync. */
  readonly options: readonly string[];
}

/** What one round of it came to. */
export type CaughtUp =
  /** The slave has all that the master had committed when the round ended. `isLong`: it may have committed more since. */
  | {
      readonly kind: 'in step';
      readonly transactions: number;
      readonly answer: MasterAnswer;
      readonly isLong: boolean;
    }
  /** Another sync had the lock. */
  | { readonly kind: 'busy' }
  | { readonly kind: 'problem'; readonly why: string; readonly isOutOfReach: boolean };

const LONG_ROUND_MS = 1000;
const IN_STEP: ReadonlySet<string> = new Set<SyncResult['action']>(['none', 'append', 'adopt']);

/**
 * Catches a slave up by rounds of `sync`, each in a child process, which can be abandoned: the mount of a dead master may
 * hang, and no thread of a promotion may hang in it. The child takes the slave's lock; the caller does not hold it.
 */
export class CatchUp {
  private readonly until: number;
  private readonly answers: Promise<boolean>;

  /** Probes the mount at once. */
  constructor(private readonly source: CatchUpSource) {
    this.until = milliseconds() + source.seconds * 1000;
    this.answers = answersInTime(resolve(source.master), source.patienceSeconds);
  }

  /** For another round. */
  get hasTime(): boolean {
    return this.until - milliseconds() > LONG_ROUND_MS;
  }

  async round(): Promise<CaughtUp> {
    const { program, master, slave, patienceSeconds, seconds, options, blobs } = this.source;
    const problem = (why: string, isOutOfReach: boolean): CaughtUp => ({ kind: 'problem', why, isOutOfReach });
    if (!(await this.answers)) return problem(`its mount has not answered for ${patienceSeconds} s`, true);
    const args = [
      program,
      'sync',
      resolve(master),
      resolve(slave),
      '--catch-up',
      '--json',
      '--scrub',
      '0',
      '--no-index',
    ];
    const more = ['--timeout', String(patienceSeconds), ...optionsOf(blobs), ...options];
    const began = milliseconds();
    const line = await firstLineInTime(process.execPath, [...args, ...more], Math.max(0, this.until - began));
    if (line === undefined && milliseconds() >= this.until) return problem(`it was not done after ${seconds} s`, false);
    if (line === undefined) return problem('its process has ended without a result', false);
    const { action, reason, damage, exitCode, copied, slave: ours } = JSON.parse(line) as SyncResult;
    if (action === 'busy') return { kind: 'busy' };
    if (damage !== null || !IN_STEP.has(action)) return problem(reason, exitCode === EXIT.fault && this.names(reason));
    const { lastTid, lastTime } = ours;
    const isLong = milliseconds() - began > LONG_ROUND_MS;
    const answer = { lastTid, lastTime, beyondClaim: undefined };
    return { kind: 'in step', transactions: copied.transactions, answer, isLong };
  }

  /** Whether a reason is about the master's side. */
  private names(reason: string): boolean {
    const { master, blobs } = this.source;
    const places = [master, ...(typeof blobs === 'object' ? [blobs.master] : [])];
    return reason.startsWith('master out of reach') || places.some((place) => reason.includes(resolve(place)));
  }
}

function optionsOf(blobs: CatchUpSource['blobs']): string[] {
  if (blobs === undefined) return [];
  if (blobs === 'given-up') return ['--no-blobs'];
  const { master, slave, by, way, keepPacked } = blobs;
  const keep = keepPacked ? ['--keep-blobs'] : [];
  return ['--blobs', `${resolve(master)}:${resolve(slave)}`, '--blobs-by', by, '--blobs-as', way, ...keep];
}
