import { magicOf, readPosition, TRANSACTION_HEADER_LENGTH } from '../../src/filestorage/layout.js';
import type { Walk } from '../../src/filestorage/walk.js';

/**
 * The differences between our walk and ZODB's own readers, with their reasons: every difference that a generated file shows
 * must be in exactly one row.
 *
 * A reader's verdict is the boundary up to which it accepts the file, and whether it stops there with an error.
 * `read_index` is what a FileStorage does when it opens a file without an index; `fstest` is ZODB's checker.
 */
export interface Verdict {
  readonly end: number;
  readonly error?: string;
}

export interface Seen {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly walk: Walk;
  /** The verdict that the walk is compared with. */
  readonly theirs: Verdict;
}

export interface Difference {
  readonly name: string;
  readonly judge: 'read_index' | 'fstest';
  /** Which side accepts less, or reports an error that the other does not. */
  readonly stricter: 'walk' | 'ZODB';
  readonly why: string;
  readonly holds: (seen: Seen) => boolean;
}

export const DIFFERENCES: readonly Difference[] = [
  {
    name: 'Python 2 file',
    judge: 'read_index',
    stricter: 'ZODB',
    why: "ZODB on Python 3 opens only FS30; a syncer copies a Python 2 site's FS21 as well",
    holds: ({ bytes }) => magicOf(bytes) === 'FS21',
  },
  {
    name: 'Python 2 file (fstest)',
    judge: 'fstest',
    stricter: 'ZODB',
    why: 'as above',
    holds: ({ bytes }) => magicOf(bytes) === 'FS21',
  },
  {
    name: 'previous pointer not before its record',
    judge: 'read_index',
    stricter: 'walk',
    why: 'ZODB logs an error and continues; such a pointer leads into a loop or out of the file, and no program writes one',
    holds: (seen) => weStopFor('previous-pointer', seen),
  },
  {
    name: 'previous pointer not before its record (fstest)',
    judge: 'fstest',
    stricter: 'walk',
    why: 'fstest reads the pointer and ignores it',
    holds: (seen) => weStopFor('previous-pointer', seen),
  },
  {
    name: 'back pointer not before its record',
    judge: 'read_index',
    stricter: 'walk',
    why: 'ZODB reads the pointer only when the object is loaded, and then loops for ever or raises',
    holds: (seen) => weStopFor('back-pointer', seen),
  },
  {
    name: 'back pointer not before its record (fstest)',
    judge: 'fstest',
    stricter: 'walk',
    why: 'fstest does not check back pointers',
    holds: (seen) => weStopFor('back-pointer', seen),
  },
  {
    name: 'version length (fstest)',
    judge: 'fstest',
    stricter: 'walk',
    why: 'fstest still knows the versions of ZODB 3; read_index refuses them as we do',
    holds: (seen) => weStopFor('version-length', seen),
  },
  {
    name: 'impossible header treated as the remains of a crash',
    judge: 'read_index',
    stricter: 'walk',
    why: "a length shorter than the header, and the file's last 8 bytes are no length: ZODB treats everything from there on as garbage and truncates it; the walk reports damage",
    holds: ({ walk, theirs }) =>
      walk.end === theirs.end && ruleOf(walk) === 'transaction-length' && theirs.error === undefined,
  },
  {
    name: 'zeros in the middle',
    judge: 'read_index',
    stricter: 'ZODB',
    why: "23 zero bytes instead of a transaction, and the file's last 8 bytes are a length: ZODB raises. The walk reports it as torn, and a sync searches for later transactions before it decides",
    holds: ({ walk, theirs, view }) =>
      walk.stop?.kind === 'torn' && isZero(view, theirs.end) && theirs.error === 'CorruptedTransactionError',
  },
  {
    name: 'status 0x80 or above in an incomplete transaction',
    judge: 'read_index',
    stricter: 'ZODB',
    why: 'ZODB decodes the status as ASCII before it checks the length, and raises; the walk treats it as incomplete, because the file may grow',
    holds: ({ walk, theirs, view }) =>
      walk.stop?.kind === 'torn' && theirs.error === 'UnicodeDecodeError' && statusAt(view, walk.end) >= 0x80,
  },
  {
    name: 'tid of all ones',
    judge: 'read_index',
    stricter: 'ZODB',
    why: 'ZODB reads ffffffffffffffff as "stop here", the end of a time travel; no clock gives that tid',
    holds: ({ walk, theirs, view }) =>
      theirs.error === undefined &&
      hasHeader(view, theirs.end) &&
      view.getBigUint64(theirs.end) === HIGHEST_TID &&
      (theirs.end < walk.end || ruleOf(walk) !== 'transaction-length'),
  },
  {
    name: 'tid that does not rise (fstest)',
    judge: 'fstest',
    stricter: 'ZODB',
    why: 'read_index warns and continues, as the walk does: such files are in production, after a clock was set back',
    holds: ({ walk, theirs, view }) => {
      if (theirs.error !== 'FormatError' || theirs.end >= walk.end) return false;
      return walk.warnings.some(({ rule, position }) => rule === 'tid-order' && position === theirs.end) || tidZero();

      function tidZero(): boolean {
        return theirs.end === 4 && view.getBigUint64(4) === 0n;
      }
    },
  },
  {
    name: 'unknown status (fstest)',
    judge: 'fstest',
    stricter: 'ZODB',
    why: 'read_index warns and continues, as the walk does',
    holds: ({ walk, theirs }) =>
      theirs.error === 'FormatError' &&
      theirs.end < walk.end &&
      walk.warnings.some(({ rule, position }) => rule === 'unknown-status' && position === theirs.end) &&
      !walk.warnings.some(({ rule, position }) => rule === 'tid-order' && position === theirs.end),
  },
];

const HIGHEST_TID = (1n << 64n) - 1n;

/** Whether both accept the same bytes, and neither reports an error alone. */
export function agrees(judge: Difference['judge'], { bytes, walk, theirs }: Seen): boolean {
  if (magicOf(bytes) === undefined) return theirs.error !== undefined;
  if (walk.end !== theirs.end) return false;
  if (walk.stop?.kind === 'damaged') return theirs.error !== undefined;
  // fstest reports an unfinished tail as an error, read_index stops before it; both accept a complete file.
  if (walk.stop?.kind !== 'end') return judge === 'fstest' || theirs.error === undefined;
  return theirs.error === undefined;
}

/** Names of the rows that a file's difference matches; it should be one. */
export function explanations(judge: Difference['judge'], seen: Seen): string[] {
  return DIFFERENCES.filter((row) => row.judge === judge && row.holds(seen)).map(({ name }) => name);
}

/** The walk has stopped for a rule that ZODB does not have, and ZODB has continued from there. */
function weStopFor(rule: string, { walk, theirs }: Seen): boolean {
  return ruleOf(walk) === rule && theirs.end > walk.end;
}

function ruleOf({ stop }: Walk): string | undefined {
  return stop?.kind === 'damaged' ? stop.rule : undefined;
}

function hasHeader(view: DataView, at: number): boolean {
  return at + TRANSACTION_HEADER_LENGTH <= view.byteLength;
}

function isZero(view: DataView, at: number): boolean {
  return hasHeader(view, at) && readPosition(view, at) === 0 && readPosition(view, at + 8) === 0;
}

function statusAt(view: DataView, at: number): number {
  return hasHeader(view, at) ? view.getUint8(at + 16) : 0;
}
