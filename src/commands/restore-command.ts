import { Command, InvalidArgumentError } from 'commander';
import { type Moment, parseMoment } from '../extract/moment.js';
import { DEFAULT_CHUNK_BYTES } from '../pipeline/chunk-table.js';
import { type BlobDirectories, directoriesOption } from './blob-options.js';
import {
  beginLongWork,
  type LongOptions,
  logOf,
  withCommonOptions,
  withFileName,
  withTimeout,
  withWorkers,
} from './common.js';
import { printEnded } from './each-storage.js';
import { type Manual, withManual } from './manual.js';
import { type ConfigurationFlags, storagesOf, withConfiguration } from './storages.js';

interface Flags extends LongOptions, ConfigurationFlags {
  readonly until: Moment;
  readonly file?: string;
  readonly dryRun?: boolean;
  readonly blobs?: BlobDirectories;
  readonly copyBlobs?: boolean;
}

const MANUAL: Manual = {
  notes: [
    'The state is that behind the last transaction that is not newer than the moment. A time is ISO 8601, with a zone (Z, +01:00) or in the local time of this machine. FILE is only read, also while a server writes to it.',
    'If a pack has left the moment out of FILE, the state is read from a file beside it that has it: FILE.old, FILE.packed-TID (see sync --keep-packed), or FILE.only-here-TID.',
    'FILE may be the name of a storage of the configuration: then it is the file of its slave.',
  ],
  examples: [
    'syncpozo restore /srv/zeo/var /srv/restored --until 2026-11-28T14:02',
    'syncpozo restore /srv/zeo/var/Data.fs /srv/restored/Data.fs --until 03f1e5c8d2a41b77 --blobs /srv/zeo/blobs:/srv/restored/blobs',
    'syncpozo restore main /srv/restored --until 2026-11-28T13:02:30Z --dry-run',
  ],
  exits: [
    ['0', 'DEST has the state, or would have it (--dry-run)'],
    ['1', 'a fault outside the data: I/O error, no space, a signal; nothing is left at DEST; try again'],
    ['2', 'usage: wrong options or paths, or DEST exists'],
    ['3', 'refused: FILE begins after the moment, or a pack has left the moment out and no kept file has it'],
    [
      '4',
      'damaged: FILE is damaged before the moment, at a named place, and DEST was not made; or DEST was made, and blobs are missing',
    ],
  ],
};

/** `syncpozo restore FILE DEST --until TIME|TID`: an earlier state as a new file. */
export function restoreCommand(): Command {
  const command = new Command('restore')
    .description('writes the state of an earlier moment as a new Data.fs, with its index; changes nothing else')
    .argument('<FILE>', 'a Data.fs, the data directory that holds it, or the name of a storage; only read')
    .argument('<DEST>', 'the new file, which must not exist; or a directory, which gets a Data.fs')
    .requiredOption(
      '--until <time|tid>',
      'the moment, as 2026-11-28T14:02, or a tid of 16 hexadecimal digits',
      untilOption,
    )
    .option(
      '--blobs <dir:dest_dir>',
      'the blob directory of FILE, and a new one for the blobs of the state, as DIR:DEST_DIR; they are linked, or copied to another file system',
      directoriesOption('DIR:DEST_DIR'),
    )
    .option('--copy-blobs', 'copy the blobs; do not link them')
    .option('--dry-run', 'report which state would be restored from which file; write nothing');
  withWorkers(command, 'threads that check a large file');
  withFileName(command);
  withManual(withTimeout(withCommonOptions(withConfiguration(command))), MANUAL);
  return command.action(async (given: string, dest: string) => {
    const flags = command.opts<Flags>();
    if (flags.copyBlobs && !flags.blobs) command.error("error: option '--copy-blobs' is of no use without '--blobs'");
    const storage = storagesOf([given], flags, 1)?.storages[0];
    const { runRestore } = await import('./restore.js');
    const { deadline, progress } = beginLongWork(flags);
    const log = logOf({ ...flags, logLevel: flags.json ? flags.logLevel : 'warn' }, progress?.above);
    const result = await runRestore({
      path: storage?.slave ?? given,
      dest,
      moment: flags.until,
      file: flags.file ?? storage?.file,
      dryRun: flags.dryRun === true,
      blobs: flags.blobs && { from: flags.blobs.master, to: flags.blobs.slave },
      copyBlobs: flags.copyBlobs === true,
      workers: flags.workers,
      chunkBytes: DEFAULT_CHUNK_BYTES,
      log,
      deadline,
      onProgress: progress?.show,
      onFiles: progress?.showFiles,
    });
    progress?.end();
    const isShown = !flags.json && !flags.quiet;
    const out = isShown ? (await import('./restore-text.js')).renderRestore(result) : '';
    printEnded({ exitCode: result.exitCode, json: result, out }, flags);
  });
}

/** Commander's parser for `--until`. */
function untilOption(text: string): Moment {
  const moment = parseMoment(text);
  if (!moment)
    throw new InvalidArgumentError(
      'Expected a time such as 2026-11-28T14:02 or 2026-11-28T13:02:30Z, or a tid of 16 hexadecimal digits.',
    );
  return moment;
}
