import { rename } from '../io/directory.js';
import { IoFault } from '../io/fault.js';
import { OpenFile } from '../io/open-file.js';
import { applyOwnership, type Ownership, readSmallText, replaceText } from '../io/replace.js';
import type { Log } from '../report/log.js';
import type { SlavePaths } from '../standby/paths.js';
import { EVENT_NAMES, type Facts, type SlaveEvent } from './event.js';

/**
 * `Data.fs.events`: the last events, one JSON object a line, oldest first.
 *
 * Invariants: it is bounded. A line is appended; only when there are too many is the file replaced, by the newer half. It is
 * not durable: a crash costs the last lines, or leaves a torn one. No sync bases a decision on it, and whatever is at its path
 * fails none: what is no event is moved aside as a whole, to `Data.fs.events.damaged`.
 */
export interface History {
  /** Oldest first. */
  readonly events: readonly SlaveEvent[];
  /** What is wrong with the file. */
  readonly problem: string | undefined;
}

type Paths = Pick<SlavePaths, 'events' | 'directoryFacts'>;

const LARGEST = 65_536;
const MOST_EVENTS = 200;
/** What a replaced history keeps. */
const KEPT_BYTES = LARGEST / 2;
const KEPT_EVENTS = MOST_EVENTS / 2;

/** Whatever is at the path is a result; this throws nothing for it. */
export function readHistory(paths: Pick<SlavePaths, 'events'>): History {
  const { events, problem } = historyOf(paths.events) ?? { events: [], problem: undefined };
  return { events, problem };
}

/** Adds events. Logs a failure, and throws none. */
export function recordEvents(paths: Paths, events: readonly SlaveEvent[], log: Log): void {
  if (events.length === 0) return;
  try {
    const before = historyOf(paths.events);
    if (before?.problem === undefined) return add(paths, before, events);
    const aside = `${paths.events}.damaged`;
    rename(paths.events, aside);
    log.warn({}, `a new history of events is started, the old one is kept as ${aside}: ${before.problem}`);
    add(paths, undefined, newest([...before.events, ...events]));
  } catch (error) {
    if (!(error instanceof IoFault)) throw error;
    log.warn({}, `the events could not be recorded, 'status' does not show them: ${error.message}`);
  }
}

function add(
  { events: path, directoryFacts }: Paths,
  before: HistoryFile | undefined,
  events: readonly SlaveEvent[],
): void {
  const lines = linesOf(events);
  const ownership = { mode: 0o644, uid: directoryFacts.uid, gid: directoryFacts.gid };
  if (!before) return create(path, lines, ownership);
  const isBounded = before.bytes + bytesOf(lines) <= LARGEST && before.lines + events.length <= MOST_EVENTS;
  if (isBounded && appendTo(path, lines)) return;
  replaceText(path, linesOf(newest([...before.events, ...events])), ownership);
}

/** Without a temporary file, which a killed run would leave behind. */
function create(path: string, text: string, ownership: Ownership): void {
  const file = OpenFile.createNew(path);
  try {
    applyOwnership(file, ownership);
    file.write(Buffer.from(text, 'utf8'), 0);
  } finally {
    file.close();
  }
}

/** false: the file has a second name, under which nothing may be changed, or is another user's. */
function appendTo(path: string, text: string): boolean {
  let file: OpenFile;
  try {
    file = OpenFile.openToWrite(path);
  } catch (error) {
    if (error instanceof IoFault && NOT_OURS.has(error.code)) return false;
    throw error;
  }
  try {
    const { size, links, kind } = file.facts();
    if (kind !== 'file' || links > 1) return false;
    file.write(Buffer.from(text, 'utf8'), size);
    return true;
  } finally {
    file.close();
  }
}

const NOT_OURS: ReadonlySet<string> = new Set(['EACCES', 'EPERM']);

interface HistoryFile extends History {
  readonly bytes: number;
  readonly lines: number;
}

/** undefined: there is no file. */
function historyOf(path: string): HistoryFile | undefined {
  let text: string | undefined;
  try {
    text = readSmallText(path, LARGEST);
  } catch (error) {
    if (!(error instanceof IoFault)) throw error;
    return { events: [], problem: error.message, bytes: 0, lines: 0 };
  }
  if (text === undefined) return undefined;
  const isTorn = text !== '' && !text.endsWith('\n');
  const lines = text.split('\n').slice(0, -1);
  const parsed = lines.map(parseEvent);
  const bad = parsed.filter((event) => event === undefined).length + (isTorn ? 1 : 0);
  const problem = bad === 0 ? undefined : `${bad} of its ${lines.length + (isTorn ? 1 : 0)} lines are no events`;
  const events = parsed.filter((event) => event !== undefined);
  return { events, problem, bytes: bytesOf(text), lines: lines.length };
}

function newest(events: readonly SlaveEvent[]): readonly SlaveEvent[] {
  let from = Math.max(0, events.length - KEPT_EVENTS);
  while (from < events.length - 1 && bytesOf(linesOf(events.slice(from))) > KEPT_BYTES) from++;
  return events.slice(from);
}

function linesOf(events: readonly SlaveEvent[]): string {
  return events.map((event) => `${JSON.stringify(event)}\n`).join('');
}

function bytesOf(text: string): number {
  return Buffer.byteLength(text, 'utf8');
}

/** undefined for anything that is not the line of an event. Fields that it does not know are left out. */
function parseEvent(line: string): SlaveEvent | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  if (!isObject(value)) return undefined;
  const { time, storage, slave, message, facts } = value;
  const name = EVENT_NAMES.find((each) => each === value['name']);
  if (name === undefined || typeof time !== 'string' || !ISO.test(time) || Number.isNaN(Date.parse(time)))
    return undefined;
  if (typeof slave !== 'string' || typeof message !== 'string' || !isFacts(facts)) return undefined;
  if (storage !== null && typeof storage !== 'string') return undefined;
  return { name, time, storage, slave, message, facts };
}

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isFacts(value: unknown): value is Facts {
  return (
    isObject(value) &&
    Object.values(value).every((each) => each === null || ['string', 'number', 'boolean'].includes(typeof each))
  );
}
