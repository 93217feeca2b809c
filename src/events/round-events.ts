import { formatSeconds } from '../report/numbers.js';
import type { TroubleKind } from '../standby/outcome-file.js';
import type { Raised } from '../standby/raised.js';
import { edgeOf, type Present } from './edge.js';
import { type Facts, makeEvent, type SlaveEvent } from './event.js';

/** What the events of a finished round are made of: a part of its result. */
export interface RoundResult {
  readonly action: string;
  readonly reason: string;
  readonly hint: string | null;
  readonly exitCode: number;
  readonly master: { readonly path: string };
  readonly slave: { readonly path: string; readonly lastTid: string | null; readonly lastTime: string | null };
  readonly copied: { readonly bytes: number; readonly transactions: number };
  readonly blobs: { readonly missing: number; readonly wrong: number } | null;
  readonly damage: {
    readonly position: number;
    readonly tid: string;
    readonly rule: string;
    readonly slaveToo: boolean;
  } | null;
  readonly onlyHere: { readonly transactions: number } | null;
  readonly onlyThere: { readonly transactions: number } | null;
  readonly seconds: number;
}

export interface EndedRound {
  /** When it ended, in milliseconds since the epoch. */
  readonly time: number;
  readonly trouble: TroubleKind | undefined;
  readonly result: RoundResult;
  /** The storage's name in the configuration. */
  readonly storage: string | undefined;
}

export interface RoundEvents {
  readonly events: readonly SlaveEvent[];
  readonly raised: Raised;
}

/** The events of a round, and what is to be remembered. For `from` see edgeOf. */
export function eventsOfRound(before: Raised, round: EndedRound, from?: number): RoundEvents {
  const { trouble: kind, result, time } = round;
  const present = kind && presentOf(kind, result);
  const { raised, begun, ended } = edgeOf(before, time, present, from);
  const event = (name: SlaveEvent['name'], message: string, facts: Facts): SlaveEvent =>
    makeEvent(name, time, { storage: round.storage, slave: result.slave.path }, message, facts);
  const events: SlaveEvent[] = [];
  if (result.action === 'rebuild')
    events.push(event('rebuild', `the slave was replaced by a new copy: ${result.reason}`, rebuildFacts(result)));
  if (present && begun !== undefined) {
    const lasted = secondsFrom(begun, time);
    const message = present.event === 'fault' && lasted > 0 ? `for ${formatSeconds(lasted)}: ` : '';
    events.push(event(present.event, message + result.reason, troubleFacts(present, kind, begun, lasted, result)));
  }
  if (ended !== undefined) {
    const lasted = secondsFrom(ended, time);
    const message = `the slave is in step again, after ${formatSeconds(lasted)}`;
    const { lastTid, lastTime } = result.slave;
    events.push(event('in-step', message, { since: isoOf(ended), seconds: lasted, lastTid, lastTime }));
  }
  return { events, raised };
}

/** The event of a kind of trouble, and the place at which it is another one. */
function presentOf(kind: TroubleKind, { damage, blobs }: RoundResult): Present {
  switch (kind) {
    case 'refused':
    case 'in-use':
      return { event: 'refusal', place: kind };
    case 'forked':
      return { event: 'fork', place: kind };
    case 'out-of-reach':
    case 'fault':
      // Which of the two it is may change with every run.
      return { event: 'fault', place: 'outside' };
    case 'damaged':
      if (damage) return { event: 'damage', place: `position-${damage.position}` };
      if (blobs && blobs.missing + blobs.wrong > 0)
        return { event: 'blob-missing', place: `missing-${blobs.missing}-wrong-${blobs.wrong}` };
      return { event: 'damage', place: 'master' };
  }
}

function rebuildFacts({ master, reason, copied, seconds }: RoundResult): Facts {
  return { master: master.path, reason, bytes: copied.bytes, transactions: copied.transactions, seconds };
}

function troubleFacts(
  { event }: Present,
  kind: TroubleKind,
  since: number,
  seconds: number,
  result: RoundResult,
): Facts {
  const { master, exitCode, reason, hint, damage, blobs, onlyHere, onlyThere } = result;
  const all = { since: isoOf(since), master: master.path, exitCode, reason, hint };
  switch (event) {
    case 'refusal':
    case 'fork':
      return {
        ...all,
        kind,
        onlySlave: onlyHere?.transactions ?? null,
        onlyMaster: onlyThere?.transactions ?? null,
      };
    case 'damage':
      return {
        ...all,
        position: damage?.position ?? null,
        tid: damage?.tid ?? null,
        rule: damage?.rule ?? null,
        slaveToo: damage?.slaveToo ?? null,
      };
    case 'fault':
      return { ...all, kind, seconds };
    case 'blob-missing':
      return { ...all, missing: blobs?.missing ?? 0, wrong: blobs?.wrong ?? 0 };
  }
}

/** Whole seconds; 0 if the clock was set back. */
function secondsFrom(since: number, now: number): number {
  return Math.max(0, Math.round((now - since) / 1000));
}

function isoOf(time: number): string {
  return new Date(time).toISOString();
}
