import { dirname, resolve } from 'node:path';
import type { Outcome } from '../engine/sync.js';
import { IoFault } from '../io/fault.js';
import type { TroubleKind } from '../standby/outcome-file.js';

/** What kind of trouble a run has ended with; undefined: none, it ended in step or had nothing to decide. */
export function troubleOfOutcome({ plan, damage, sides }: Outcome): TroubleKind | undefined {
  if (damage) return 'damaged';
  switch (plan.kind) {
    case 'off':
    case 'busy':
    case 'none':
    case 'full':
    case 'rebuild':
    case 'adopt':
    case 'append':
      return undefined;
    case 'out-of-reach':
      return 'out-of-reach';
    case 'unfit':
    case 'damaged':
      return 'damaged';
    case 'grown':
    case 'forked':
      return sides && sides.onlyHere.count > 0 && sides.onlyThere.count > 0 ? 'forked' : 'refused';
    case 'in-use':
      return 'in-use';
  }
}

/** Of the master's path: what was given, the file, and its directory, which is asked about a missing file. */
export function troubleOfError(error: unknown, given: string, master: string): TroubleKind {
  // ETORN: the master was read, and changed meanwhile.
  const isMasters = error instanceof IoFault && [resolve(given), master, dirname(master)].includes(error.path);
  return isMasters && error.code !== 'ETORN' ? 'out-of-reach' : 'fault';
}
