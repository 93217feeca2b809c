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
import { EXIT_HELP } from './exit.js';

interface Flags extends LongOptions {
  readonly file?: string;
}

/** `syncpozo index FILE`: so that FileStorage need not scan the file when a server starts on it. */
export function indexCommand(): Command {
  const command = new Command('index')
    .description(
      'builds or refreshes Data.fs.index, without which FileStorage scans the whole file when a server starts',
    )
    .argument('<FILE>', 'a Data.fs that no server has open, or the data directory that holds it');
  withWorkers(command, 'threads that read a long file');
  withFileName(command);
  withTimeout(withCommonOptions(command)).addHelpText(
    'after',
    `\nExample:\n  syncpozo index /srv/zeo/var/filestorage\n${EXIT_HELP}`,
  );
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
