import { checksum } from '../io/checksum.js';
import { factsOfPath, writtenAt } from '../io/facts.js';
import { IoFault } from '../io/fault.js';
import { ownTemporaryOf, readSmallText, replaceText, temporaryOf } from '../io/replace.js';
import type { SlavePaths } from './paths.js';
import { formatRaised, parseRaised, type Raised, timesOf } from './raised.js';
import { textOfQuoted } from './strict-lines.js';

/**
 * `Data.fs.outcome`: how the last sync that reached a decision ended, and when one last ended in step. Text, replaced
 * by every such run.
 *
 * ```
 * syncpozo outcome 1
 * last TIME EXIT ACTION
 * reason "TEXT"                        one line, escaped as in JSON
 * in-step TIME                         never where none is recorded
 * trouble KIND TIME                    since when runs have ended with this kind of trouble; none after a run in step
 * event, open and raised               what was reported as an event; see raised.ts
 * end CHECKSUM                         XXH64 of all above
 * ```
 *
 * Invariants of a parsed record: with exit status 0 there is no trouble and the last run is the one in step; with any
 * other status there is a trouble. No sync bases a decision on this file. It is not durable: a crash leaves an older
 * record or an invalid text, and the next run replaces either.
 */
export interface OutcomeRecord {
  /** When the last run ended. All times are milliseconds since the epoch. */
  readonly time: number;
  readonly exitCode: number;
  readonly action: RecordedAction;
  readonly reason: string;
  /** When a run last ended in step; undefined when none is recorded. */
  readonly inStep: number | undefined;
  readonly trouble: Trouble | undefined;
  /** Not there where nothing was reported. */
  readonly raised?: Raised;
}

export interface Trouble {
  readonly kind: TroubleKind;
  /** When the first of the consecutive runs with this kind of trouble ended. */
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
  /** undefined exactly when the run ended in step. */
  readonly trouble: TroubleKind | undefined;
}

export type OutcomeFile =
  | { readonly outcome: OutcomeRecord }
  | { readonly missing: true }
  /** It exists but holds no valid record. */
  | { readonly problem: string };

const LARGEST = 8192;
/** In UTF-16 units; a longer reason is truncated. */
const LONGEST_REASON = 1000;
/** The first time whose year has five digits, which the format cannot hold. */
const END_OF_TIMES = Date.UTC(10_000, 0);
const TIME = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`;
const FORM = new RegExp(
  [
    '^syncpozo outcome 1',
    `last (${TIME}) ([0-5]) (${ACTIONS.join('|')})`,
    'reason (".*")',
    `in-step (never|${TIME})`,
    `trouble (?:none|(${TROUBLE_KINDS.join('|')}) (${TIME}))((?:\n(?:event|open|raised) .*){0,7})`,
    'end [0-9a-f]{16}\n$',
  ].join('\n'),
);
/** Characters that JSON does not escape but a terminal or an editor treats as a control sequence or a line break. */
const UNSAFE = /[\u007f-\u009f\u2028\u2029]/g;

/**
 * The record that replaces `before` after a run. `datTime`: modification time of the `.dat` before that run, used as
 * the time in step where none has been recorded yet. Taken before the run, because the run may have published a `.dat`
 * without ending in step.
 */
export function recordAfter(
  run: EndedRun,
  before: OutcomeFile,
  datTime: number | undefined,
  raised?: Raised,
): OutcomeRecord {
  const { trouble: kind, ...rest } = run;
  const ended = { ...rest, ...(raised && { raised }) };
  if (kind === undefined) return { ...ended, inStep: run.time, trouble: undefined };
  const last = 'outcome' in before ? before.outcome : undefined;
  const goesOn = last?.trouble && familyOf(last.trouble.kind) === familyOf(kind) ? last.trouble : undefined;
  const inStep = last ? last.inStep : 'missing' in before ? datTime : undefined;
  return { ...ended, inStep, trouble: { kind, since: goesOn?.since ?? run.time } };
}

/**
 * A slave refused for transactions of its own becomes forked as soon as the master has some too: one continuous
 * trouble.
 */
function familyOf(kind: TroubleKind): TroubleKind {
  return kind === 'forked' ? 'refused' : kind;
}

export function formatOutcome(record: OutcomeRecord): string {
  const { time, exitCode, action, reason, inStep, trouble, raised } = record;
  const quoted = JSON.stringify(reason.slice(0, LONGEST_REASON)).replace(
    UNSAFE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  const lines = [
    'syncpozo outcome 1',
    `last ${isoOf(time)} ${exitCode} ${action}`,
    `reason ${quoted}`,
    `in-step ${inStep === undefined ? 'never' : isoOf(inStep)}`,
    `trouble ${trouble ? `${trouble.kind} ${isoOf(trouble.since)}` : 'none'}`,
    ...(raised ? formatRaised(raised) : []),
  ];
  const body = `${lines.join('\n')}\n`;
  return `${body}end ${checksum(body)}\n`;
}

function isoOf(time: number): string {
  return new Date(time).toISOString();
}

/** Parses a record. Total: undefined for anything that is not exactly what formatOutcome writes. */
export function parseOutcome(text: string): OutcomeRecord | undefined {
  const [time = '', exitCode, action, quoted = '', inStep, kind, since = '', raised = ''] =
    FORM.exec(text)?.slice(1) ?? [];
  const reason = textOfQuoted(quoted);
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
    ...(raised !== '' && { raised: parseRaised(raised.split('\n').slice(1)) }),
  };
  return isConsistent(record) && formatOutcome(record) === text ? record : undefined;
}

function isConsistent({ time, exitCode, action, inStep, trouble, raised }: OutcomeRecord): boolean {
  const times = [time, inStep ?? 0, trouble?.since ?? 0, ...(raised ? timesOf(raised) : [])];
  if (times.some(Number.isNaN)) return false;
  const isInStep = IN_STEP.some((each) => each === action);
  if (exitCode !== 0) return trouble !== undefined;
  return isInStep && inStep === time && trouble === undefined && !raised?.trouble && raised?.open === undefined;
}

/** Whatever is at the path is a result; this throws nothing for it. */
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
 * Replaces the record. Throws an IoFault on failure. `locked`: the caller holds the slave's lock. Without it several
 * processes may write at the same time, each through its own temporary name.
 */
export function writeOutcome(paths: SlavePaths, record: OutcomeRecord, locked: boolean): void {
  const { uid, gid } = paths.directoryFacts;
  const temporary = (locked ? temporaryOf : ownTemporaryOf)(paths.outcome);
  replaceText(paths.outcome, formatOutcome(record), { mode: 0o644, uid, gid }, temporary);
}

/**
 * When a sync last ended in step, in milliseconds since the epoch; undefined when unknown. For slaves of a version that
 * kept no record, the time of their `.dat`.
 */
export function lastInStep(
  paths: Pick<SlavePaths, 'outcome' | 'dat'>,
  file: OutcomeFile = readOutcome(paths),
): number | undefined {
  if ('outcome' in file) return file.outcome.inStep;
  return 'missing' in file ? datWrittenAt(paths) : undefined;
}

/** Modification time of the `.dat` in milliseconds since the epoch; undefined when it is missing or cannot be read. */
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
