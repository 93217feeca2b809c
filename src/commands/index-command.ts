import { Command } from 'commander';
import { DEFAULT_CHUNK_BYTES } from '../pipeline/chunk-table.js';
import {
  beginLongWork,
  type LongOptions,
  logOf,
  printJson,
  withCommonOptions,
  withFileName,
  withTimeout,
  withWorkers,
} from './common.js';
import { type Manual, withManual } from './manual.js';

interface Flags extends LongOptions {
  readonly file?: string;
}

const MANUAL: Manual = {
  examples: ['syncpozo index /srv/zeo/var'],
  exits: [
    ['0', 'the index covers all committed transactions, or the file has no record to index'],
    ['1', 'a fault outside the data: I/O error, a signal, or another syncpozo uses the file; try again'],
    ['2', 'usage: wrong options or paths'],
    ['4', 'damaged: the file is damaged at a named place, or is not a Data.fs; no index was written'],
    ['5', 'refused: another program uses the file, for example a ZEO server'],
  ],
};

/** `syncpozo index FILE`: so that FileStorage need not scan the file when a server starts on it. */
export function indexCommand(): Command {
  const command = new Command('index')
    .description(
      'builds or refreshes Data.fs.index; without it, FileStorage scans the complete file when a server starts',
    )
    .argument('<FILE>', 'a Data.fs that no server has open, or the data directory that holds it');
  withWorkers(command, 'threads that read a large file');
  withFileName(command);
  withManual(withTimeout(withCommonOptions(command)), MANUAL);
  return command.action(async (path: string, flags: Flags) => {
    const { runIndex } = await import('./index.js');
    const { deadline, progress } = beginLongWork(flags);
    const result = await runIndex({
      path,
      file: flags.file,
      workers: flags.workers,
      chunkBytes: DEFAULT_CHUNK_BYTES,
      log: logOf(flags, progress?.above),
      deadline,
      onProgress: progress?.show,
    });
    progress?.end();
    if (flags.json) printJson(result);
    process.exitCode = result.exitCode;
  });
}
