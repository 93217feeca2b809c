import { Command } from 'commander';
import { writeToStderr, writeToStdout } from '../io/sink.js';
import { readDatFile } from '../standby/dat-file.js';
import { demote } from '../standby/demote.js';
import { Lock } from '../standby/lock.js';
import { type SlavePaths, slavePaths } from '../standby/paths.js';
import { readSwitch } from '../standby/switch.js';
import { printJson, type SlaveOptions, statusFileOf, withSlaveOptions } from './common.js';
import { EXIT, EXIT_HELP, type ExitCode } from './exit.js';

interface Result {
  readonly slave: string;
  readonly demoted: boolean;
  readonly exitCode: ExitCode;
  readonly message: string;
}

/** `syncpozo demote SLAVE`: the last step of the way back, for a person. */
export function demoteCommand(): Command {
  const command = new Command('demote')
    .description('makes a promoted slave a slave again; the next sync compares it with the master before anything else')
    .argument('<SLAVE>', "the slave's data directory, or its Data.fs");
  withSlaveOptions(command);
  command.addHelpText('after', `\nExample:\n  syncpozo demote /srv/zeo/var && syncpozo on\n${EXIT_HELP}`);
  return command.action((slave: string, flags: SlaveOptions) => {
    const paths = slavePaths(slave, flags.file);
    const result = demoteUnderLock(paths);
    const syncing = readSwitch(statusFileOf(flags)) === 'on';
    if (flags.json) printJson({ ...result, syncing });
    else if (result.exitCode !== EXIT.ok) writeToStderr(`syncpozo: ${result.message}\n`);
    else if (!flags.quiet) {
      const next = syncing ? '' : "the switch is off: 'syncpozo on' lets syncs run again\n";
      writeToStdout(`${result.message}\n${next}`);
    }
    process.exitCode = result.exitCode;
  });
}

function demoteUnderLock(paths: SlavePaths): Result {
  const outcome = Lock.take(paths.lock, paths.directoryFacts);
  if (outcome.kind !== 'held') {
    const exitCode = outcome.kind === 'other' ? EXIT.inUse : EXIT.fault;
    const message = `${paths.data} is in use (${outcome.holder}): stop what uses it first`;
    return { slave: paths.data, demoted: false, exitCode, message };
  }
  try {
    const file = readDatFile(paths);
    if (!('dat' in file) || file.dat.role !== 'promoted')
      return { slave: paths.data, demoted: false, exitCode: EXIT.ok, message: `${paths.data} is not promoted` };
    demote(paths);
    return { slave: paths.data, demoted: true, exitCode: EXIT.ok, message: `${paths.data} is a slave again` };
  } finally {
    outcome.lock.release();
  }
}
