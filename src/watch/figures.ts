import type { RoundEnd, RoundFigures } from '../monitor/monitored.js';
import type { SyncResult } from '../round/result.js';
import { isInStep } from '../round/session.js';
import { readOutcome, type TroubleKind } from '../standby/outcome-file.js';
import type { MountGate } from './mount-gate.js';

export type Phase = 'check' | 'copy' | 'rebuild' | 'failed';

const PHASES: Readonly<Record<SyncResult['action'], Phase>> = {
  none: 'check',
  off: 'check',
  busy: 'check',
  append: 'copy',
  full: 'rebuild',
  rebuild: 'rebuild',
  adopt: 'rebuild',
  refused: 'failed',
  failed: 'failed',
};

/** What a watch counts of one storage. */
export class Figures implements RoundFigures {
  readonly rounds: Record<string, number> = {};
  readonly faults: Record<string, number> = {};
  readonly phaseSeconds: Record<string, number> = {};
  copiedBytes = 0;
  copiedTransactions = 0;
  copiedBlobs = 0;
  copiedBlobBytes = 0;
  scrubbedBytes = 0;
  scrubbedBad = 0;
  last: RoundEnd | undefined;
  /** The kind of trouble of the last round; undefined: none. */
  trouble: TroubleKind | undefined;
  damagedSlave: string | undefined;
  inStepAsOf: number | undefined;
  runningSince: number | undefined;

  constructor(private readonly gate: MountGate) {}

  get hungSince(): number | undefined {
    return this.gate.hungSince;
  }

  get hungReads(): number {
    return this.gate.hungReads;
  }

  /** A check that found nothing new. */
  addCheck(beganAt: number, seconds: number): void {
    count(this.rounds, 'none', 1);
    count(this.phaseSeconds, 'check', seconds);
    const last = this.last ?? { action: 'none', exitCode: 0, reason: '', hint: null };
    this.last = { ...last, beganAt, endedAt: beganAt + seconds * 1000 };
  }

  addRound(beganAt: number, seconds: number, result: SyncResult): void {
    const trouble = troubleOf(result);
    const { action, exitCode, reason, hint, copied, blobs, scrubbed } = result;
    this.trouble = trouble;
    count(this.rounds, action, 1);
    count(this.phaseSeconds, PHASES[action], seconds);
    if (trouble) count(this.faults, trouble, 1);
    this.copiedBytes += copied.bytes;
    this.copiedTransactions += copied.transactions;
    this.copiedBlobs += (blobs?.copied ?? 0) + (blobs?.linked ?? 0);
    this.copiedBlobBytes += blobs?.bytes ?? 0;
    this.scrubbedBytes += scrubbed.bytes;
    this.scrubbedBad += scrubbed.bad;
    if (result.damage?.slaveToo || (blobs?.wrong ?? 0) > 0) this.damagedSlave = reason;
    else if (isInStep(result)) this.damagedSlave = undefined;
    this.last = { beganAt, endedAt: beganAt + seconds * 1000, action, exitCode, reason, hint };
  }
}

/** The kind of trouble that the round has recorded; undefined: none. */
function troubleOf({ exitCode, slave }: SyncResult): TroubleKind | undefined {
  if (exitCode === 0) return undefined;
  const recorded = readOutcome({ outcome: `${slave.path}.outcome` });
  return ('outcome' in recorded && recorded.outcome.trouble?.kind) || 'fault';
}

function count(figures: Record<string, number>, name: string, more: number): void {
  figures[name] = (figures[name] ?? 0) + more;
}
