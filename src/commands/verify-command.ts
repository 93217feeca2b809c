import { Command } from 'commander';
import type { StorageSettings } from '../config/configuration.js';
import { isStorageName } from '../config/storage-name.js';
import { ReadDeadline } from '../pipeline/read-deadline.js';
import { type Log, logOfStorage } from '../report/log.js';
import { EXIT } from '../round/exit.js';
import {
  beginLongWork,
  type LongOptions,
  logOf,
  OF_TWO_SIDES,
  withCommonOptions,
  withFileName,
  withTimeout,
  withWorkers,
} from './common.js';
import { forEachStorage, printEnded } from './each-storage.js';
import { type Manual, withManual } from './manual.js';
import {
  type ConfigurationFlags,
  NAMES_NOTE,
  placesOf,
  refuseForSeveral,
  storagesOf,
  timeoutOf,
  withNames,
} from './storages.js';
import type { VerifyOptions } from './verify.js';
import type { VerifyResult } from './verify-result.js';

interface Flags extends LongOptions, ConfigurationFlags {
  /** true: the storage's own master. */
  readonly against?: string | true;
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
    NAMES_NOTE,
  ],
  examples: ['syncpozo verify /srv/zeo/var --against /mnt/m1/zeo/var', 'syncpozo verify main --against'],
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
      '[SLAVE]',
      "the slave's data directory, or its Data.fs; or any other Data.fs, also one that a server has open",
    )
    .option(
      '--against [MASTER]',
      "compare with the master's data directory, or its Data.fs; of storages: with their masters",
    )
    .option('--blobs <directory>', 'its blob directory; default: the one to which a sync has copied its blobs')
    .option('--no-blobs', 'check no blobs')
    .option('--no-pointers', 'check structure and checksums only, not pointers and index');
  withWorkers(command, 'threads that check a large file');
  withFileName(command, OF_TWO_SIDES);
  withManual(withTimeout(withCommonOptions(withNames(command))), MANUAL);
  return command.action(async () => {
    const flags = command.opts<Flags>();
    const chosen = storagesOf(command.args, flags, 1);
    if (chosen) refuseForSeveral(command, chosen, 'file', 'blobs');
    if (chosen && typeof flags.against === 'string' && isStorageName(flags.against))
      command.error(`error: '--against ${flags.against}' is no path; put '--against' behind the names`);
    if (chosen && chosen.storages.length > 1 && typeof flags.against === 'string')
      command.error("error: option '--against' takes no MASTER where several storages are verified");
    if (!chosen && flags.against === true) command.error("error: option '--against <MASTER>' argument missing");
    const [given = ''] = chosen ? [] : placesOf(command);
    const { runVerify } = await import('./verify.js');
    const log = flags.logFile === undefined ? undefined : logOf(flags);
    const { deadline, progress } = beginLongWork(flags);
    const run = async (
      side: Pick<VerifyOptions, 'slave' | 'against' | 'file' | 'deadline'>,
      ownLog: Log | undefined = log,
    ) => {
      try {
        const result = await runVerify({
          ...side,
          pointers: flags.pointers,
          blobs: flags.blobs,
          ...(flags.workers !== undefined && { workers: flags.workers }),
          ...(progress && { onPosition: progress.show, onBlobs: progress.showFiles }),
        });
        if (ownLog) logResult(result, ownLog);
        const isShown = !flags.json && (!flags.quiet || result.exitCode !== EXIT.ok);
        const out = isShown ? (await import('./verify-text.js')).renderVerify(result) : '';
        return { exitCode: result.exitCode, json: result, out };
      } finally {
        progress?.end();
      }
    };
    const { file, against } = flags;
    if (!chosen) {
      const ofPath = typeof against === 'string' ? { against } : {};
      return printEnded(await run({ slave: given, file, deadline, ...ofPath }), flags);
    }
    const each = (storage: StorageSettings) => {
      const master = against === true ? storage.master : against;
      const own = new ReadDeadline(timeoutOf(storage, flags, command), deadline.signal);
      const side = { slave: storage.slave, file: file ?? storage.file, deadline: own };
      const named = log && logOfStorage(log, storage.name);
      return run({ ...side, ...(master !== undefined && { against: master }) }, named);
    };
    await forEachStorage(chosen.storages, flags, each, deadline.signal);
  });
}

function logResult(
  { path, exitCode, problemCount, committedEnd, lastTid, seconds, ...result }: VerifyResult,
  log: Log,
) {
  const fields = { path, exitCode, problems: problemCount, committedEnd, lastTid, seconds };
  if (result.ok) log.info(fields, 'Finished verifying');
  else log.error({ ...fields, first: result.problems.slice(0, 3), against: result.against }, 'Finished verifying');
}
