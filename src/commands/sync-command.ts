import { Command, InvalidArgumentError, Option } from 'commander';
import { DEFAULT_CHUNK_BYTES } from '../pipeline/chunk-table.js';
import { parseBytes } from '../report/size.js';
import type { ScrubAmount } from '../scrub/round.js';
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
import { EXIT_HELP } from './exit.js';
import { runSync } from './sync.js';

interface Flags extends SlaveOptions, LongOptions {
  readonly full?: boolean;
  readonly dryRun?: boolean;
  readonly chunkSize: number;
  readonly scrub: ScrubAmount;
  readonly index: boolean;
}

const DEFAULT_CHUNK_SIZE = `${DEFAULT_CHUNK_BYTES >> 20}MiB`;
const DEFAULT_SCRUB = '16MiB';

/** `syncpozo sync MASTER SLAVE`: one round, as cron runs it every minute. */
export function syncCommand(): Command {
  const command = new Command('sync')
    .description("brings the slave up to the master's last committed transaction; what cron runs every minute")
    .argument('<MASTER>', "the master's data directory, or its Data.fs; only read, never locked")
    .argument('<SLAVE>', "the slave's data directory, or its Data.fs")
    .option('--full', 'make the slave anew from all of the master')
    .option('--dry-run', 'decide and say what would be done; write nothing')
    .addOption(
      new Option('--chunk-size <size>', 'about how much is read, checked and hashed as one piece')
        .argParser(sizeOption)
        .default(DEFAULT_CHUNK_BYTES, DEFAULT_CHUNK_SIZE),
    )
    .addOption(
      new Option('--scrub <size>', 'how much of what was copied long ago is read again; 0: nothing, full: all of it')
        .argParser(scrubOption)
        .default(scrubOption(DEFAULT_SCRUB), DEFAULT_SCRUB),
    );
  withWorkers(command, 'threads that validate a long tail');
  command.option('--no-index', 'write no Data.fs.index beside the slave');
  withTimeout(withSlaveOptions(command, OF_TWO_SIDES));
  command.addHelpText(
    'after',
    `\nExample:\n  syncpozo sync /mnt/master/var/filestorage /srv/zeo/var/filestorage\n${EXIT_HELP}`,
  );
  command.action(async (master: string, slave: string, flags: Flags) => {
    const { deadline, progress } = beginLongWork(flags);
    const result = await runSync({
      master,
      slave,
      full: flags.full === true,
      dryRun: flags.dryRun === true,
      index: flags.index,
      file: flags.file,
      statusFile: statusFileOf(flags),
      chunkBytes: flags.chunkSize,
      scrub: flags.scrub,
      ...(flags.workers !== undefined && { workers: flags.workers }),
      log: logOf(flags, progress?.above),
      deadline,
      ...(progress && { onProgress: progress.show }),
    });
    progress?.end();
    if (flags.json) printJson(result);
    process.exitCode = result.exitCode;
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
