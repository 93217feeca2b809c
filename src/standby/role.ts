import { formatTid } from '../filestorage/tid.js';
import { checksum } from '../io/checksum.js';
import { LineReader, Misfit, moment, wholeNumber } from './strict-lines.js';

/**
 * `Data.fs.role`: whether this side may serve, and the terms in which a side has served. Text, replaced durably, parsed
 * strictly, never removed by the program.
 *
 * ```
 * syncpozo role 1
 * role slave|master|rejoining|superseded
 * term N                                                number of the last term line; 0 without any
 * began TERM POSITION TID AT_MS HOST COMMAND STATE      one for each term, TERM ascending; STATE: open or unused
 * promoted POSITION TID AT_MS SYNCED_MS                 with role master only; SYNCED_MS: - when never
 * rejoin POSITION TID SINCE_MS PHASE LOST               with role rejoining only; PHASE: begun or rewound; LOST: stem of
 *                                                       the files of what was lost, - when nothing was
 * refused SINCE_MS LINEAGE POSITION TID DEVICE INODE    a refusal in effect; POSITION, TID: - when not known
 * damaged SINCE_MS POSITION TID                         damage of the master, with no rebuild since it was reported
 * end CHECKSUM                                          XXH64 of all above
 * ```
 *
 * Invariants of parsed facts: terms ascend strictly from 1; only role master has a promotion, only role rejoining a
 * rejoin; every time fits into a Date.
 */
export type Role = 'slave' | 'master' | 'rejoining' | 'superseded';

/** The start of a term: the exact position at which the histories of two sides fork. */
export interface TermLine {
  readonly term: number;
  readonly position: number;
  /** Of the last transaction before `position`. */
  readonly tid: bigint;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** One word each; characters that do not fit are written as `_`. */
  readonly host: string;
  readonly command: string;
  /** The term ended before anything was committed in it. */
  readonly unused: boolean;
}

/** State at a promotion: the slave's end and last transaction, and two times in milliseconds since the epoch. */
export interface Promotion {
  readonly position: number;
  readonly tid: bigint;
  readonly at: number;
  /** When a sync last found the slave in step. */
  readonly lastSync: number | undefined;
}

/** A refusal, in effect until the master is a continuation again or a person decides. */
export interface Refusal {
  /** Milliseconds since the epoch. */
  readonly since: number;
  /** What the master is to the slave, one word: forked, ahead, unrelated. */
  readonly lineage: string;
  /** The newest transaction that both have: its end, and its tid. */
  readonly position?: number;
  readonly tid?: bigint;
  /** The master's file. */
  readonly device: string;
  readonly inode: string;
}

/** Reported damage of the master: no rebuild from it is proven. */
export interface DamageMark {
  /** Milliseconds since the epoch. */
  readonly since: number;
  readonly position: number;
  readonly tid: bigint;
}

/** A rejoin that has begun and has not ended. */
export interface RejoinMark {
  /** The fork: the end of the newest transaction that both sides have, and its tid. */
  readonly position: number;
  readonly tid: bigint;
  /** Milliseconds since the epoch. */
  readonly since: number;
  /** `rewound`: what only this side had is durable elsewhere, and no byte behind the claim of the `.dat` is needed. */
  readonly phase: 'begun' | 'rewound';
  /** Stem of the files beside the data that hold it; undefined: there was nothing. */
  readonly lost?: string;
}

export interface RoleFacts {
  readonly role: Role;
  readonly terms: readonly TermLine[];
  readonly promotion?: Promotion;
  readonly rejoin?: RejoinMark;
  readonly refusal?: Refusal;
  readonly damage?: DamageMark;
}

/** A side without a role file and without any term. */
export const PLAIN_SLAVE: RoleFacts = { role: 'slave', terms: [] };

/** Number of the last term line; 0 without any. The next promotion uses the next number. */
export function lastTerm({ terms }: Pick<RoleFacts, 'terms'>): number {
  return terms.at(-1)?.term ?? 0;
}

/** The highest term in which something may have been committed; 0 without any. */
export function seenTerm({ terms }: Pick<RoleFacts, 'terms'>): number {
  return terms.findLast(({ unused }) => !unused)?.term ?? 0;
}

const FIRST_LINE = 'syncpozo role 1';
const LONGEST_WORD = 255;

/** A name as one word of printable ASCII: a host name can contain anything. */
export function oneWord(name: string): string {
  return name.replace(/[^\x21-\x7e]/g, '_').slice(0, LONGEST_WORD) || '_';
}

export function formatRole(facts: RoleFacts): string {
  const { role, terms, promotion, rejoin, refusal, damage } = facts;
  const lines = [FIRST_LINE, `role ${role}`, `term ${lastTerm(facts)}`];
  for (const { term, position, tid, at, host, command, unused } of terms) {
    const by = `${oneWord(host)} ${oneWord(command)}`;
    lines.push(`began ${term} ${position} ${formatTid(tid)} ${at} ${by} ${unused ? 'unused' : 'open'}`);
  }
  if (promotion) {
    const { position, tid, at, lastSync } = promotion;
    lines.push(`promoted ${position} ${formatTid(tid)} ${at} ${lastSync ?? '-'}`);
  }
  if (rejoin) {
    const { position, tid, since, phase, lost } = rejoin;
    lines.push(`rejoin ${position} ${formatTid(tid)} ${since} ${phase} ${lost ?? '-'}`);
  }
  if (refusal) {
    const { since, lineage, position, tid, device, inode } = refusal;
    const place = `${position ?? '-'} ${tid === undefined ? '-' : formatTid(tid)}`;
    lines.push(`refused ${since} ${lineage} ${place} ${device} ${inode}`);
  }
  if (damage) lines.push(`damaged ${damage.since} ${damage.position} ${formatTid(damage.tid)}`);
  const body = `${lines.join('\n')}\n`;
  return `${body}end ${checksum(body)}\n`;
}

export type ParsedRole = { readonly facts: RoleFacts } | { readonly problem: string };

/** Parses a role file. Total: anything that is not exactly what formatRole writes yields a problem text. */
export function parseRole(text: string): ParsedRole {
  if (text === '') return { problem: 'it is empty' };
  if (!text.startsWith(`${FIRST_LINE}\n`)) return { problem: `its first line is not "${FIRST_LINE}"` };
  const lastLine = text.lastIndexOf('\nend ') + 1;
  if (lastLine === 0 || !text.endsWith('\n')) return { problem: 'its last line is missing: it was cut short' };
  const body = text.slice(0, lastLine);
  if (text.slice(lastLine) !== `end ${checksum(body)}\n`) return { problem: 'its checksum is wrong' };
  try {
    const facts = readFacts(new LineReader(body.split('\n').slice(1, -1), 1));
    if (formatRole(facts) !== text) throw new Misfit('it is not written as syncpozo writes it');
    return { facts };
  } catch (error) {
    if (error instanceof Misfit) return { problem: error.message };
    throw error;
  }
}

function readFacts(reader: LineReader): RoleFacts {
  const [role] = reader.expect(/^role (slave|master|rejoining|superseded)$/);
  const [number] = reader.expect(/^term (\d+)$/);
  const terms: TermLine[] = [];
  for (let line = readTerm(reader); line; line = readTerm(reader)) {
    if (line.term <= lastTerm({ terms })) throw new Misfit(`term ${line.term} follows ${lastTerm({ terms })}`);
    terms.push(line);
  }
  if (wholeNumber(number) !== lastTerm({ terms }))
    throw new Misfit(`its term is ${number}, its last term line is ${lastTerm({ terms })}`);
  const promoted = role === 'master' ? reader.accept(/^promoted (\d+) ([0-9a-f]{16}) (\d+) (\d+|-)$/) : undefined;
  const rejoining =
    role === 'rejoining'
      ? reader.accept(/^rejoin (\d+) ([0-9a-f]{16}) (\d+) (begun|rewound) (-|lost-[0-9a-f-]{33,60})$/)
      : undefined;
  const refused = reader.accept(/^refused (\d+) ([a-z]{1,40}) (\d+|-) ([0-9a-f]{16}|-) (\d{1,20}) (\d{1,20})$/);
  const damaged = reader.accept(/^damaged (\d+) (\d+) ([0-9a-f]{16})$/);
  reader.end();
  return {
    role: asRole(role),
    terms,
    ...(promoted && { promotion: readPromotion(promoted) }),
    ...(rejoining && { rejoin: readRejoin(rejoining) }),
    ...(refused && { refusal: readRefusal(refused) }),
    ...(damaged && {
      damage: { since: moment(damaged[0]), position: wholeNumber(damaged[1]), tid: BigInt(`0x${damaged[2]}`) },
    }),
  };
}

function asRole(word: string | undefined): Role {
  return word === 'master' || word === 'rejoining' || word === 'superseded' ? word : 'slave';
}

function readTerm(reader: LineReader): TermLine | undefined {
  const fields = reader.accept(
    /^began (\d+) (\d+) ([0-9a-f]{16}) (\d+) ([\x21-\x7e]{1,255}) ([\x21-\x7e]{1,255}) (open|unused)$/,
  );
  if (!fields) return undefined;
  const [term, position, tid, at, host = '', command = '', state] = fields;
  return {
    term: wholeNumber(term),
    position: wholeNumber(position),
    tid: BigInt(`0x${tid}`),
    at: moment(at),
    host,
    command,
    unused: state === 'unused',
  };
}

/** The fields of a `promoted` line, from a role file or an old `.dat`. */
export function readPromotion([position, tid, at, lastSync]: readonly string[]): Promotion {
  return {
    position: wholeNumber(position),
    tid: BigInt(`0x${tid}`),
    at: moment(at),
    lastSync: lastSync === '-' ? undefined : moment(lastSync),
  };
}

function readRejoin([position, tid, since, phase, lost]: readonly string[]): RejoinMark {
  return {
    position: wholeNumber(position),
    tid: BigInt(`0x${tid}`),
    since: moment(since),
    phase: phase === 'rewound' ? 'rewound' : 'begun',
    ...(lost !== '-' && lost !== undefined && { lost }),
  };
}

function readRefusal([since, lineage = '', position, tid, device = '', inode = '']: readonly string[]): Refusal {
  return {
    since: moment(since),
    lineage,
    ...(position !== '-' && { position: wholeNumber(position) }),
    ...(tid !== '-' && { tid: BigInt(`0x${tid}`) }),
    device,
    inode,
  };
}
