import { Command } from 'commander';
import { writeToStderr, writeToStdout } from '../io/sink.js';
import { Interrupted } from '../pipeline/read-deadline.js';
import { EXIT } from '../round/exit.js';
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
import { type Manual, withManual } from './manual.js';

interface Flags extends LongOptions {
  readonly against?: string;
  readonly file?: string;
  /** false: --no-pointers. */
  readonly pointers: boolean;
  /** false: --no-blobs. */
  readonly blobs?: string | false;
}

const MANUAL: Manual = {
  notes: [
    'The command reads the complete file and changes nothing. It takes no lock: a sync or a ZEO server may run at the same time. Of a file that grows meanwhile, it checks the transactions that were committed when it started.',
    'With --no-pointers it checks structure and checksums only. It does not check previous pointers, the targets of back pointers, and Data.fs.index. Where checksums cover the file, they detect every byte that differs from the copied one.',
    'Blobs: every blob that a transaction names must be there, and of a slave it must have the bytes that were copied.',
  ],
  examples: ['syncpozo verify /srv/zeo/var --against /mnt/m1/zeo/var'],
  exits: [
    ['0', 'no problem; with --against also: equal to the master, or only behind it'],
    [
      '1',
      'a fault outside the data: I/O error, master out of reach, a signal; or the master has been packed since the last sync: try again',
    ],
    ['2', 'usage: wrong options or paths'],
    ['3', 'with --against: the file has transactions that the master lacks, or the two have forked; a person decides'],
    [
      '4',
      'damaged: a problem at a named place, a blob that is missing or wrong, or the file is not a Data.fs; with --against also: the same transactions have different bytes on the two sides, or the master is damaged or not a Data.fs',
    ],
  ],
};

/** `syncpozo verify SLAVE`: whether every byte is as it should be. */
export function verifyCommand(): Command {
  const command = new Command('verify')
    .description(
      'checks every byte of a Data.fs: structure, checksums, pointers, index, blobs; with --against it compares two files',
    )
    .argument(
      '<SLAVE>',
      "the slave's data directory, or its Data.fs; or any other Data.fs, also one that a server has open",
    )
    .option('--against <MASTER>', "compare with the master's data directory, or its Data.fs")
    .option('--blobs <directory>', 'its blob directory; default: the one to which a sync has copied its blobs')
    .option('--no-blobs', 'check no blobs')
    .option('--no-pointers', 'check structure and checksums only, not pointers and index');
  withWorkers(command, 'threads that check a large file');
  withFileName(command, OF_TWO_SIDES);
  withManual(withTimeout(withCommonOptions(command)), MANUAL);
  return command.action(async (slave: string, flags: Flags) => {
    const { runVerify } = await import('./verify.js');
    const log = flags.logFile === undefined ? undefined : logOf(flags);
    const { deadline, progress } = beginLongWork(flags);
    try {
      const result = await runVerify({
        slave,
        file: flags.file,
        pointers: flags.pointers,
        blobs: flags.blobs,
        deadline,
        ...(flags.against !== undefined && { against: flags.against }),
        ...(flags.workers !== undefined && { workers: flags.workers }),
        ...(progress && { onPosition: progress.show, onBlobs: progress.showFiles }),
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
