import { dirname, resolve } from 'node:path';
import { NotABlob } from '../blobs/mistakes.js';
import { IoFault } from '../io/fault.js';
import { SlaveInUse } from '../standby/in-use.js';
import type { TroubleKind } from '../standby/outcome-file.js';
import type { Outcome } from '../sync/sync.js';
import { EXIT, exitOfOutcome } from './exit.js';

/** The kind of trouble that a run ended with; undefined when it ended in step or had nothing to decide. */
export function troubleOfOutcome(outcome: Outcome): TroubleKind | undefined {
  switch (exitOfOutcome(outcome)) {
    case EXIT.fault:
      return 'out-of-reach';
    case EXIT.damaged:
      return 'damaged';
    case EXIT.refused:
      return bothGoOn(outcome) ? 'forked' : 'refused';
    case EXIT.inUse:
      return 'in-use';
    default:
      return undefined;
  }
}

function bothGoOn({ sides }: Outcome): boolean {
  return sides !== undefined && sides.onlyHere.count > 0 && sides.onlyThere.count > 0;
}

/**
 * A fault counts as the master's if its path is MASTER as given, the master's file or its directory, which is checked
 * when the file is missing, or if it is in the master's blob directory.
 */
export function troubleOfError(error: unknown, given: string, master: string, blobs?: string): TroubleKind {
  if (error instanceof SlaveInUse) return 'in-use';
  if (error instanceof NotABlob) return 'damaged';
  // ETORN: the master was readable, but changed during the read.
  const isData = error instanceof IoFault && [resolve(given), master, dirname(master)].includes(error.path);
  const isBlob = error instanceof IoFault && blobs !== undefined && `${error.path}/`.startsWith(`${blobs}/`);
  const isMasters = isData || isBlob;
  return isMasters && error.code !== 'ETORN' ? 'out-of-reach' : 'fault';
}
