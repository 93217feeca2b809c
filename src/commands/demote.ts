import { EXIT, type ExitCode, exitOfError } from '../round/exit.js';
import { readDatFile } from '../standby/dat-file.js';
import { refuseOpened, SlaveInUse } from '../standby/in-use.js';
import { Lock } from '../standby/lock.js';
import type { SlavePaths } from '../standby/paths.js';
import { carryOver, clearRole, RoleRefusal } from '../standby/role-of.js';
import { demote, isUnused } from '../takeover/demote.js';

export interface Demotion {
  readonly slave: string;
  readonly demoted: boolean;
  readonly exitCode: ExitCode;
  readonly message: string;
  readonly hint: string | null;
}

/** Makes a slave of this side, holding its lock. */
export async function demoteUnderLock(paths: SlavePaths): Promise<Demotion> {
  const none = { slave: paths.data, demoted: false, hint: null };
  const outcome = Lock.take(paths.lock, paths.directoryFacts);
  if (outcome.kind !== 'held') {
    const exitCode = outcome.kind === 'other' ? EXIT.inUse : EXIT.fault;
    return { ...none, exitCode, message: `${paths.data} is in use (${outcome.holder}): stop what uses it first` };
  }
  try {
    refuseOpened(paths);
    carryOver(paths, readDatFile(paths));
    const facts = clearRole(paths);
    if (facts.role === 'slave') return { ...none, exitCode: EXIT.ok, message: `${paths.data} is not promoted` };
    const last = facts.role === 'master' ? facts.terms.at(-1) : undefined;
    demote(paths, facts, last !== undefined && (await isUnused(paths.data, last)));
    return { ...none, demoted: true, exitCode: EXIT.ok, message: `${paths.data} is a slave again` };
  } catch (error) {
    if (!(error instanceof RoleRefusal || error instanceof SlaveInUse)) throw error;
    return { ...none, exitCode: exitOfError(error), message: error.message, hint: error.hint };
  } finally {
    outcome.lock.release();
  }
}
