import { Command } from 'commander';
import { writeToStderr, writeToStdout } from '../io/sink.js';
import { Interrupted } from '../pipeline/read-deadline.js';
import {
  beginLongWork,
  type LongOptions,
  logOf,
  OF_TWO_SIDES,
  printJson,
  withCommonOptions,
  withFileName,
  withTimeout,
  withWorkers,
} from './common.js';
import { EXIT } from './exit.js';

interface Flags extends LongOptions {
  readonly against?: string;
  readonly file?: string;
  /** false: --no-pointers. */
  readonly pointers: boolean;
}

const HELP = `
Reads everything and changes nothing; takes no lock, so a sync or a ZEO server may go on beside it. Of a file that grows
meanwhile it checks what was committed when it began.

With --no-pointers it checks structure and checksums only, and says nothing of previous pointers, of where back pointers
lead, and of Data.fs.index. Where checksums cover the file, they find every byte that is not as it was copied.

Example:
  syncpozo verify /srv/zeo/var/filestorage --against /mnt/master/var/filestorage

Exit status:
  0  right; with --against: and equal to the master, or its beginning (it is merely behind)
  1  a fault outside the data: I/O error, master out of reach; or the master has been packed since the last sync: try again
  2  usage
  3  with --against: the file has transactions that the master lacks, or the two have parted; a person decides
  4  damaged: something is wrong at a named place; or the same transactions have other bytes on the two sides`;

/** `syncpozo verify SLAVE`: whether every byte is as it should be. */
export function verifyCommand(): Command {
  const command = new Command('verify')
    .description('checks every byte of a Data.fs: structure, checksums, pointers, index; with --against also equality')
    .argument('<SLAVE>', "the slave's data directory, or its Data.fs; any other Data.fs as well, a live one too")
    .option('--against <MASTER>', "compare with the master's data directory, or its Data.fs")
    .option('--no-pointers', 'check structure and checksums only: neither pointers nor the index');
  withWorkers(command, 'threads that check a large file beside the main one');
  withFileName(command, OF_TWO_SIDES);
  withTimeout(withCommonOptions(command)).addHelpText('after', HELP);
  return command.action(async (slave: string, flags: Flags) => {
    const { runVerify } = await import('./verify.js');
    const log = flags.logFile === undefined ? undefined : logOf(flags);
    const { deadline, progress } = beginLongWork(flags);
    try {
      const result = await runVerify({
        slave,
        file: flags.file,
        pointers: flags.pointers,
        deadline,
        ...(flags.against !== undefined && { against: flags.against }),
        ...(flags.workers !== undefined && { workers: flags.workers }),
        ...(progress && { onPosition: progress.show }),
      });
      progress?.end();
      if (flags.json) printJson(result);
      else if (!flags.quiet || result.exitCode !== EXIT.ok) {
        writeToStdout((await import('./verify-text.js')).renderVerify(result));
      }
      if (log) {
        const { path, exitCode, problemCount, committedEnd, lastTid, seconds } = result;
        const fields = { path, exitCode, problems: problemCount, committedEnd, lastTid, seconds };
        if (result.ok) log.info(fields, 'Finished verifying');
        else
          log.error({ ...fields, first: result.problems.slice(0, 3), against: result.against }, 'Finished verifying');
      }
      process.exitCode = result.exitCode;
    } catch (error) {
      progress?.end();
      if (!(error instanceof Interrupted)) throw error;
      writeToStderr(`syncpozo: ${error.message}\n`);
      process.exitCode = EXIT.fault;
    }
  });
}
