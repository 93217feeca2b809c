import { Command } from 'commander';
import { stderrIsTerminal } from '../io/sink.js';
import {
  type CommonOptions,
  countOption,
  logOf,
  printJson,
  withCommonOptions,
  withFileName,
  withTimeout,
} from './common.js';
import { EXIT_HELP } from './exit.js';

interface Flags extends CommonOptions {
  readonly file: string;
  readonly workers?: number;
  readonly timeout: number;
}

const MOST_WORKERS = 64;
const CHUNK_BYTES = 32 << 20;

/** `syncpozo index FILE`: so that FileStorage need not scan the file when a server starts on it. */
export function indexCommand(): Command {
  const command = new Command('index')
    .description(
      'builds or refreshes Data.fs.index, without which FileStorage scans the whole file when a server starts',
    )
    .argument('<FILE>', 'a Data.fs that no server has open, or the data directory that holds it')
    .option('--workers <n>', 'threads that read a long file; 0: none', countOption(MOST_WORKERS));
  withFileName(command, 'name of the file in a directory');
  withTimeout(withCommonOptions(command)).addHelpText(
    'after',
    `\nExample:\n  syncpozo index /srv/zeo/var/filestorage\n${EXIT_HELP}`,
  );
  return command.action(async (path: string, flags: Flags) => {
    const [{ runIndex }, { Patience }] = await Promise.all([import('./index.js'), import('../engine/patience.js')]);
    const stop = new AbortController();
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort());
    const progress =
      stderrIsTerminal() && !flags.quiet ? new (await import('../report/progress.js')).Progress() : undefined;
    const result = await runIndex({
      path,
      file: flags.file,
      workers: flags.workers,
      chunkBytes: CHUNK_BYTES,
      log: logOf(flags, progress?.above),
      patience: new Patience(flags.timeout, stop.signal),
      onProgress: progress?.show,
    });
    progress?.end();
    if (flags.json) printJson(result);
    process.exitCode = result.exitCode;
  });
}
