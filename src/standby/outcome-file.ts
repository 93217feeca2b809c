import { checksum } from '../io/checksum.js';
import { factsOfPath, writtenAt } from '../io/facts.js';
import { IoFault } from '../io/fault.js';
import { ownTemporaryOf, readSmallText, replaceText, temporaryOf } from '../io/replace.js';
import type { SlavePaths } from './paths.js';

/**
 * `Data.fs.outcome`: how the last sync that decided something ended, and when one last ended in step. Text, replaced by
 * every such run.
 *
 * ```
 * syncpozo outcome 1
 * last TIME EXIT ACTION
 * reason "TEXT"                        one line, escaped as in JSON
 * in-step TIME                         never where none is recorded
 * trouble KIND TIME                    since when runs have ended with this kind of trouble; none after a run in step
 * end CHECKSUM                         XXH64 of all above
 * ```
 *
 * Invariants of a parsed record: with exit status 0 there is no trouble and the last run is the one in step; with any
 * other there is a trouble. No sync decides anything by this file. It is not made durable: a crash leaves an older
 * record, or a text that cannot be parsed, and the next run replaces either.
 */
export interface OutcomeRecord {
  /** When the last run ended. All times are milliseconds since the epoch. */
  readonly time: number;
  readonly exitCode: number;
  readonly action: RecordedAction;
  readonly reason: string;
  /** When a run last ended in step; undefined: none is recorded. */
  readonly inStep: number | undefined;
  readonly trouble: Trouble | undefined;
}

export interface Trouble {
  readonly kind: TroubleKind;
  /** When the first run ended in the unbroken row of runs with this kind of trouble. */
  readonly since: number;
}

const IN_STEP = ['none', 'append', 'full', 'rebuild', 'adopt'] as const;
const ACTIONS = [...IN_STEP, 'refused', 'failed'] as const;
export type RecordedAction = (typeof ACTIONS)[number];

export const TROUBLE_KINDS = ['refused', 'forked', 'damaged', 'out-of-reach', 'in-use', 'fault'] as const;
export type TroubleKind = (typeof TROUBLE_KINDS)[number];

/** How one run ended. */
export interface EndedRun {
  readonly time: number;
  readonly exitCode: number;
  readonly action: RecordedAction;
  readonly reason: string;
  /** undefined exactly where the run ended in step. */
  readonly trouble: TroubleKind | undefined;
}

export type OutcomeFile =
  | { readonly outcome: OutcomeRecord }
  | { readonly missing: true }
  /** It is there and says nothing that can be relied on. */
  | { readonly problem: string };

const LARGEST = 8192;
/** Of the reason, in UTF-16 units: what is longer is cut. */
const LONGEST_REASON = 1000;
/** The first moment whose year has five digits, which no record holds. */
const END_OF_TIMES = Date.UTC(10_000, 0);
const TIME = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`;
const FORM = new RegExp(
  [
    '^syncpozo outcome 1',
    `last (${TIME}) ([0-5]) (${ACTIONS.join('|')})`,
    'reason (".*")',
    `in-step (never|${TIME})`,
    `trouble (?:none|(${TROUBLE_KINDS.join('|')}) (${TIME}))`,
    'end [0-9a-f]{16}\n$',
  ].join('\n'),
);
/** What JSON leaves as it is, and a terminal or an editor takes for a command or a line's end. */
const OBEYED = /[\u007f-\u009f\u2028\u2029]/g;

/**
 * The record that follows on `before` when a run has ended. `datTime`: when the `.dat` was written before that run, which
 * is the time in step where nothing has been recorded yet; the run itself may have published a `.dat` and not ended in step.
 */
export function recordAfter(run: EndedRun, before: OutcomeFile, datTime: number | undefined): OutcomeRecord {
  const { trouble: kind, ...ended } = run;
  if (kind === undefined) return { ...ended, inStep: run.time, trouble: undefined };
  const last = 'outcome' in before ? before.outcome : undefined;
  const goesOn = last?.trouble && familyOf(last.trouble.kind) === familyOf(kind) ? last.trouble : undefined;
  const inStep = last ? last.inStep : 'missing' in before ? datTime : undefined;
  return { ...ended, inStep, trouble: { kind, since: goesOn?.since ?? run.time } };
}

/** A slave that was refused for its own transactions is forked as soon as the master has some as well: one row. */
function familyOf(kind: TroubleKind): TroubleKind {
  return kind === 'forked' ? 'refused' : kind;
}

export function formatOutcome({ time, exitCode, action, reason, inStep, trouble }: OutcomeRecord): string {
  const quoted = JSON.stringify(reason.slice(0, LONGEST_REASON)).replace(
    OBEYED,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  const lines = [
    'syncpozo outcome 1',
    `last ${isoOf(time)} ${exitCode} ${action}`,
    `reason ${quoted}`,
    `in-step ${inStep === undefined ? 'never' : isoOf(inStep)}`,
    `trouble ${trouble ? `${trouble.kind} ${isoOf(trouble.since)}` : 'none'}`,
  ];
  const body = `${lines.join('\n')}\n`;
  return `${body}end ${checksum(body)}\n`;
}

function isoOf(time: number): string {
  return new Date(time).toISOString();
}

/** Parses a record. Total: undefined for anything that is not exactly what formatOutcome writes. */
export function parseOutcome(text: string): OutcomeRecord | undefined {
  const [time = '', exitCode, action, quoted = '', inStep, kind, since = ''] = FORM.exec(text)?.slice(1) ?? [];
  const reason = textOf(quoted);
  const known = ACTIONS.find((each) => each === action);
  if (reason === undefined || known === undefined) return undefined;
  const troubleKind = TROUBLE_KINDS.find((each) => each === kind);
  const record: OutcomeRecord = {
    time: Date.parse(time),
    exitCode: Number(exitCode),
    action: known,
    reason,
    inStep: inStep === undefined || inStep === 'never' ? undefined : Date.parse(inStep),
    trouble: troubleKind && { kind: troubleKind, since: Date.parse(since) },
  };
  return isConsistent(record) && formatOutcome(record) === text ? record : undefined;
}

function textOf(quoted: string): string | undefined {
  try {
    const value: unknown = JSON.parse(quoted);
    return typeof value === 'string' ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function isConsistent({ time, exitCode, action, inStep, trouble }: OutcomeRecord): boolean {
  const times = [time, inStep ?? 0, trouble?.since ?? 0];
  if (times.some(Number.isNaN)) return false;
  const isInStep = IN_STEP.some((each) => each === action);
  return exitCode === 0 ? isInStep && inStep === time && trouble === undefined : trouble !== undefined;
}

/** Whatever stands there is an answer; nothing is thrown for it. */
export function readOutcome(paths: Pick<SlavePaths, 'outcome'>): OutcomeFile {
  let text: string | undefined;
  try {
    text = readSmallText(paths.outcome, LARGEST);
  } catch (error) {
    if (error instanceof IoFault) return { problem: error.message };
    throw error;
  }
  if (text === undefined) return { missing: true };
  const outcome = parseOutcome(text);
  return outcome ? { outcome } : { problem: `${paths.outcome} is not a record as syncpozo writes it` };
}

/**
 * Replaces the record. Throws an IoFault where that cannot be done. `locked`: the caller holds the slave's lock; without it
 * several may write at the same time, each under a temporary name of its own.
 */
export function writeOutcome(paths: SlavePaths, record: OutcomeRecord, locked: boolean): void {
  const { uid, gid } = paths.directoryFacts;
  const temporary = (locked ? temporaryOf : ownTemporaryOf)(paths.outcome);
  replaceText(paths.outcome, formatOutcome(record), { mode: 0o644, uid, gid }, temporary);
}

/**
 * When a sync last ended in step, in milliseconds since the epoch; undefined: not known. Slaves of a version that kept no
 * record have the time of their `.dat`.
 */
export function lastInStep(
  paths: Pick<SlavePaths, 'outcome' | 'dat'>,
  file: OutcomeFile = readOutcome(paths),
): number | undefined {
  if ('outcome' in file) return file.outcome.inStep;
  return 'missing' in file ? datWrittenAt(paths) : undefined;
}

/** When the `.dat` was written, in milliseconds since the epoch; undefined without one, or where nobody says. */
export function datWrittenAt(paths: Pick<SlavePaths, 'dat'>): number | undefined {
  try {
    const facts = factsOfPath(paths.dat);
    const time = facts && writtenAt(facts);
    return time !== undefined && time >= 0 && time < END_OF_TIMES ? time : undefined;
  } catch (error) {
    if (error instanceof IoFault) return undefined;
    throw error;
  }
}
