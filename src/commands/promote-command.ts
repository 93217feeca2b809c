import { Command } from 'commander';
import { startShell } from '../io/child.js';
import { writeToStderr, writeToStdout } from '../io/sink.js';
import { linesOfSwitch, renderPromotion } from '../report/promotion.js';
import { masterSideByName } from '../standby/paths.js';
import { OF_TWO_SIDES, printJson, type SlaveOptions, secondsOption, statusFileOf, withSlaveOptions } from './common.js';
import { askForMaster } from './loss.js';
import { runPromote } from './promote.js';

interface Flags extends SlaveOptions {
  readonly master?: string;
  readonly grace: number;
  readonly patience: number;
  readonly verify?: boolean;
  readonly onLoss?: string;
}

/** A sync that is asked to end does so within a second; to kill it does no harm. */
const GRACE_SECONDS = 1;
/** A takeover waits for nobody. */
const DEADLINE_SECONDS = 0.9;

const HELP = `
Example:
  syncpozo promote /srv/zeo/var --on-loss /usr/local/sbin/restart-zeo-clients

Nothing waits for the mount of a dead master: MASTER is taken for a file if its name ends with .fs or SLAVE has a file of
that name, and for a directory otherwise.

The command of --on-loss is started when transactions may have been lost, which is so unless the master could be looked
at. Nobody waits for it, and what it prints is not kept. Its environment has SYNCPOZO_SLAVE, SYNCPOZO_LAST_TID and
SYNCPOZO_LAST_TIME (what comes after may be lost), SYNCPOZO_LOSS (possible or certain), SYNCPOZO_LOST_TRANSACTIONS and
SYNCPOZO_MASTER_TID (empty: not known), SYNCPOZO_LAST_SYNC and SYNCPOZO_POSITION.

Exit status:
  0  promoted, now or before (also with a warning that the switch could not be written); start ZEO
  1  a fault: I/O error, or a sync that cannot be ended; not promoted
  2  usage
  3  refused: there is nothing that could be served; not promoted
  4  promoted, but the slave is damaged at a named place; start ZEO, and look into it
  5  refused: another program has the slave open (a ZEO server that serves it already?); not promoted`;

/** `syncpozo promote SLAVE`: what a takeover calls before it starts ZEO. */
export function promoteCommand(): Command {
  const command = new Command('promote')
    .description('makes the slave fit to serve: no sync touches it any more, its end is whole; says what may be lost')
    .argument('<SLAVE>', "the slave's data directory, or its Data.fs")
    .option(
      '--master <MASTER>',
      'the data directory of the master, or its Data.fs, to look for what is lost, if it answers',
    )
    .option(
      '--grace <seconds>',
      'how long a sync at work may take to end before it is killed',
      secondsOption,
      GRACE_SECONDS,
    )
    .option('--patience <seconds>', 'how long the master may take to answer', secondsOption, DEADLINE_SECONDS)
    .option('--verify', 'compare all of the slave with its checksums, not only the last piece; takes its time')
    .option('--on-loss <command>', 'a shell command to start when transactions may have been lost');
  withSlaveOptions(command, OF_TWO_SIDES);
  command.addHelpText('after', HELP);
  return command.action(async (slave: string, flags: Flags) => {
    const { master, onLoss } = flags;
    const program = process.argv[1] ?? '';
    const statusFile = statusFileOf(flags);
    const result = await runPromote({
      slave,
      file: flags.file,
      statusFile,
      graceSeconds: flags.grace,
      verify: flags.verify === true,
      ...(master !== undefined && {
        master: masterSideByName(master, slave, flags.file),
        askMaster: (file) =>
          askForMaster(program, master, slave, flags.patience, ['--file', file, '--status-file', statusFile]),
      }),
      ...(onLoss !== undefined && { onLoss: (facts) => startShell(onLoss, facts) }),
    });
    if (flags.json) printJson(result);
    else if (!result.promoted) writeToStderr(renderPromotion(result));
    else if (!flags.quiet || result.exitCode !== 0) writeToStdout(renderPromotion(result));
    else
      writeToStderr(
        linesOfSwitch(result)
          .map((line) => `${line}\n`)
          .join(''),
      );
    process.exitCode = result.exitCode;
  });
}
