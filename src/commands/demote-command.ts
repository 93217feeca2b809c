import { Command } from 'commander';
import { writeToStderr, writeToStdout } from '../io/sink.js';
import { forShell } from '../report/quote.js';
import { EXIT, type ExitCode, exitOfError } from '../round/exit.js';
import { readDatFile } from '../standby/dat-file.js';
import { refuseOpened, SlaveInUse } from '../standby/in-use.js';
import { Lock } from '../standby/lock.js';
import { type SlavePaths, slavePaths } from '../standby/paths.js';
import { carryOver, clearRole, RoleRefusal } from '../standby/role-of.js';
import { readSwitch } from '../standby/switch.js';
import { demote, isUnused } from '../takeover/demote.js';
import { printJson, type SlaveOptions, statusFileOf, withSlaveOptions } from './common.js';
import { type Manual, withManual } from './manual.js';

interface Result {
  readonly slave: string;
  readonly demoted: boolean;
  readonly exitCode: ExitCode;
  readonly message: string;
  readonly hint: string | null;
}

const MANUAL: Manual = {
  examples: ['syncpozo demote /srv/zeo/var && syncpozo on'],
  exits: [
    ['0', 'a slave, now or before; start a sync'],
    ['1', 'a fault: I/O error, or another syncpozo uses the slave'],
    [
      '2',
      'usage: wrong options or paths; or a status file that says neither 0 nor 1, which is read after the demotion',
    ],
    ['3', 'refused: the role cannot be read, or a rejoin has not ended'],
    ['5', 'refused: another program uses the slave, for example a ZEO server'],
  ],
};

/** `syncpozo demote SLAVE`: the last step of the way back, for a person. */
export function demoteCommand(): Command {
  const command = new Command('demote')
    .description('turns a promoted slave into a slave again; the next sync compares it with the master first')
    .argument('<SLAVE>', "the slave's data directory, or its Data.fs");
  withManual(withSlaveOptions(command), MANUAL);
  return command.action(async (slave: string, flags: SlaveOptions) => {
    const paths = slavePaths(slave, flags.file);
    const result = await demoteUnderLock(paths);
    const syncing = readSwitch(statusFileOf(flags)) === 'on';
    if (flags.json) printJson({ ...result, syncing });
    else if (result.exitCode !== EXIT.ok)
      writeToStderr(`syncpozo: ${result.message}\n${result.hint === null ? '' : `hint: ${result.hint}\n`}`);
    else if (!flags.quiet) {
      const on =
        flags.statusFile === undefined ? 'syncpozo on' : `syncpozo on --status-file ${forShell(flags.statusFile)}`;
      const next = syncing ? '' : `the switch is off: '${on}' lets syncs run again\n`;
      writeToStdout(`${result.message}\n${next}`);
    }
    process.exitCode = result.exitCode;
  });
}

/** Makes a slave of this side, holding its lock. */
export async function demoteUnderLock(paths: SlavePaths): Promise<Result> {
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
