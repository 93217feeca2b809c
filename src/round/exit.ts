import { BlobsUnreachable, NotABlob } from '../blobs/mistakes.js';
import { IoFault } from '../io/fault.js';
import { LogFileMistake, STANDARD_OUTPUT } from '../io/sink.js';
import { ConfigurationMistake } from '../report/configuration-mistake.js';
import { SlaveInUse } from '../standby/in-use.js';
import { PathMistake } from '../standby/paths.js';
import { RoleRefusal } from '../standby/role-of.js';
import { SwitchUnclear } from '../standby/switch.js';
import type { Outcome } from '../sync/sync.js';
import { NoCatchUp } from './catch-up.js';
import { NotTogether } from './not-together.js';

/** The exit statuses, and the one place where an outcome or an error becomes one. */
export const EXIT = { ok: 0, fault: 1, usage: 2, refused: 3, damaged: 4, inUse: 5 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export function exitOfOutcome(outcome: Outcome): ExitCode {
  if (outcome.damage || blobsWanting(outcome) > 0) return EXIT.damaged;
  switch (outcome.plan.kind) {
    case 'off':
    case 'busy':
    case 'none':
    case 'full':
    case 'rebuild':
    case 'adopt':
    case 'append':
      return EXIT.ok;
    case 'out-of-reach':
      return EXIT.fault;
    case 'unfit':
    case 'damaged':
      return EXIT.damaged;
    case 'grown':
    case 'forked':
      return EXIT.refused;
    case 'in-use':
      return EXIT.inUse;
  }
}

/** Blobs that the slave cannot have: missing on the master, or wrong on both sides. */
export function blobsWanting({ blobs }: Outcome): number {
  return (blobs?.claim?.missing ?? 0) + (blobs?.lost.length ?? 0);
}

/** Whether an error is one of the machine or of the operator, whose message says all. */
export function isForeseen(
  error: unknown,
): error is
  | IoFault
  | PathMistake
  | SwitchUnclear
  | LogFileMistake
  | ConfigurationMistake
  | RoleRefusal
  | SlaveInUse
  | NotABlob
  | BlobsUnreachable
  | NotTogether
  | NoCatchUp {
  return (
    [IoFault, RoleRefusal, SlaveInUse, NotABlob, BlobsUnreachable, NotTogether, NoCatchUp].some(
      (kind) => error instanceof kind,
    ) || isMistake(error)
  );
}

export function exitOfError(error: unknown): ExitCode {
  if (error instanceof RoleRefusal || error instanceof NoCatchUp) return EXIT.refused;
  if (error instanceof SlaveInUse) return EXIT.inUse;
  if (error instanceof NotABlob) return EXIT.damaged;
  if (error instanceof NotTogether && error.isPlanned) return EXIT.ok;
  return isMistake(error) ? EXIT.usage : EXIT.fault;
}

function isMistake(error: unknown): error is PathMistake | SwitchUnclear | LogFileMistake | ConfigurationMistake {
  return [PathMistake, SwitchUnclear, LogFileMistake, ConfigurationMistake].some((kind) => error instanceof kind);
}

const HINTS: Readonly<Record<string, string>> = {
  ENOSPC: 'make room on that file system; the next run goes on from what was claimed',
  EDQUOT: "the user's quota there is used up; the next run goes on from what was claimed",
  EACCES: 'the user that runs syncpozo needs to read the master, and to write in the directory of the slave',
  EPERM: 'the user that runs syncpozo needs to read the master, and to write in the directory of the slave',
  EROFS: "the slave's file system is mounted read-only",
  EIO: 'the disk or the network file system failed; look into the system log',
  EFBIG: 'a limit on the size of files is in force (ulimit -f), or the file system takes none so large',
  ELOCK: "does the file system of the slave's directory know flock? Network file systems may not",
  ETORN: "the slave was not touched; if it says so again, check the master with ZODB's fstest",
  ELOST: "the slave's disk loses what is written to it: look into the system log, and do not rely on this disk",
  ENODEV:
    "an automount has failed: is the master's host up, and does it export the directory? The next run tries again",
  ESTALE: 'the next run opens it afresh',
  ETIMEDOUT: "is the master's host up? The next run tries again",
  EADDRINUSE: 'another watch or another program listens there; end it, or choose another port with --listen',
  EADDRNOTAVAIL: 'choose an address of this machine with --listen; 127.0.0.1 is for programs on this machine alone',
  EPORT: 'ports below 1024 are for root; choose one above with --listen',
  EDATA: 'nothing was written to it; name another file in its place',
  ELOOP: 'symbolic links are not followed here; name the file itself',
};

/** The output is the last thing that a command makes: what it does to files is done by then. */
const OUTPUT_HINT =
  'only the output is incomplete: check the file or the disk that it was sent to; no Data.fs is concerned, and what the command was asked to do has been done';

/** What to do about an error, in words; undefined where there is nothing better than its message. */
export function hintOf(error: unknown): string | undefined {
  const hasHint = error instanceof PathMistake || error instanceof LogFileMistake;
  if (error instanceof NotABlob || error instanceof BlobsUnreachable) return error.hint;
  if (error instanceof NotTogether) return error.hint;
  if (error instanceof ConfigurationMistake || hasHint || error instanceof RoleRefusal || error instanceof SlaveInUse)
    return error.hint;
  if (error instanceof SwitchUnclear) return "set it with 'syncpozo on' or 'syncpozo off'";
  if (!(error instanceof IoFault)) return undefined;
  return error.path === STANDARD_OUTPUT ? OUTPUT_HINT : HINTS[error.code];
}
