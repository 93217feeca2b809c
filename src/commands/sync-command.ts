import { Command, InvalidArgumentError, Option } from 'commander';
import { hooksOf } from '../events/hooks.js';
import { DEFAULT_CHUNK_BYTES } from '../pipeline/chunk-table.js';
import { parseBytes } from '../report/size.js';
import { runSync } from '../round/run-sync.js';
import type { ScrubAmount } from '../scrub/round.js';
import { type BlobFlags, blobSettingsOf, withBlobOptions } from './blob-options.js';
import {
  beginLongWork,
  type LongOptions,
  logOf,
  OF_TWO_SIDES,
  printJson,
  type SlaveOptions,
  sizeOption,
  statusFileOf,
  withSlaveOptions,
  withTimeout,
  withWorkers,
} from './common.js';
import { type Manual, withManual } from './manual.js';

interface Flags extends SlaveOptions, LongOptions, BlobFlags {
  readonly full?: boolean;
  readonly dryRun?: boolean;
  readonly chunkSize: number;
  readonly scrub: ScrubAmount;
  readonly index: boolean;
}

const DEFAULT_CHUNK_SIZE = `${DEFAULT_CHUNK_BYTES >> 20}MiB`;
const DEFAULT_SCRUB = '16MiB';

const MANUAL: Manual = {
  examples: [
    'syncpozo sync /mnt/m1/zeo/var /srv/zeo/var',
    'syncpozo sync /mnt/m1/zeo/var /srv/zeo/var --blobs /mnt/m1/zeo/blobs:/srv/zeo/blobs',
  ],
  exits: [
    ['0', 'in step; also: nothing to do, switched off, promoted, or another sync is running'],
    ['1', 'a fault outside the data: I/O error, no space, master out of reach, a signal; the next run tries again'],
    ['2', 'usage: wrong options or paths, or a status file that says neither 0 nor 1'],
    [
      '3',
      'refused: the slave has transactions that the master lacks, the two have forked, or a role forbids it; a person decides',
    ],
    ['4', 'damaged: the master is damaged at a named place, is not a Data.fs, or has lost blobs'],
    ['5', 'refused: another program uses the slave, for example a ZEO server'],
  ],
};

/** `syncpozo sync MASTER SLAVE`: one round, as cron runs it every minute. */
export function syncCommand(): Command {
  const command = new Command('sync')
    .description("copies the master's new transactions to the slave; cron runs it every minute")
    .argument('<MASTER>', "the master's data directory, or its Data.fs; only read, never locked")
    .argument('<SLAVE>', "the slave's data directory, or its Data.fs")
    .option('--full', 'rebuild the slave from the complete master')
    .option('--dry-run', 'report what a sync would do; write nothing')
    .addOption(
      new Option('--chunk-size <size>', 'approximate size of one piece, which is read, checked and hashed at once')
        .argParser(sizeOption)
        .default(DEFAULT_CHUNK_BYTES, DEFAULT_CHUNK_SIZE),
    )
    .addOption(
      new Option('--scrub <size>', 'amount of old data that this run reads again and repairs; 0: nothing, full: all')
        .argParser(scrubOption)
        .default(scrubOption(DEFAULT_SCRUB), DEFAULT_SCRUB),
    );
  withWorkers(command, 'threads that check new data, if there is much of it');
  withBlobOptions(command);
  command.option('--no-index', 'write no Data.fs.index beside the slave');
  withManual(withTimeout(withSlaveOptions(command, OF_TWO_SIDES)), MANUAL);
  command.action(async (master: string, slave: string, flags: Flags) => {
    const { deadline, progress } = beginLongWork(flags);
    const log = logOf(flags, progress?.above);
    const hooks = hooksOf(undefined, log);
    const result = await runSync({
      master,
      slave,
      full: flags.full === true,
      dryRun: flags.dryRun === true,
      index: flags.index,
      blobs: blobSettingsOf(flags, command),
      file: flags.file,
      statusFile: statusFileOf(flags),
      chunkBytes: flags.chunkSize,
      scrub: flags.scrub,
      ...(flags.workers !== undefined && { workers: flags.workers }),
      log,
      deadline,
      onEvents: (events) => hooks.emit(events),
      ...(progress && { onProgress: progress.show, onBlobs: progress.showFiles }),
    });
    progress?.end();
    if (flags.json) printJson(result);
    process.exitCode = result.exitCode;
    await hooks.settled();
  });
  return command;
}

/** Commander's parser for `--scrub`. */
function scrubOption(text: string): ScrubAmount {
  if (text === 'full') return text;
  const bytes = parseBytes(text);
  if (bytes === undefined)
    throw new InvalidArgumentError('Expected 0, full, or a size such as 16MiB (B, KiB, MiB, GiB).');
  return bytes;
}
