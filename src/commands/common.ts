import { createRequire } from 'node:module';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { DEFAULTS } from '../config/defaults.js';
import { stderrIsTerminal, type TextSink, writeToStdout } from '../io/sink.js';
import { ReadDeadline } from '../pipeline/read-deadline.js';
import { parseDuration } from '../report/duration.js';
import { type LogFormat, type LogLevel, lateLog, type OpenedLog, openLog } from '../report/log.js';
import { Progress } from '../report/progress.js';
import { parseBytes } from '../report/size.js';
import { DEFAULT_FILE } from '../standby/paths.js';
import { DEFAULT_STATUS_FILE } from '../standby/switch.js';

/** Options that every command takes. */
export interface CommonOptions {
  readonly json?: boolean;
  readonly logLevel: Exclude<LogLevel, 'silent'>;
  readonly logFormat?: LogFormat;
  readonly logFile?: string;
  readonly quiet?: boolean;
}

export function withCommonOptions(command: Command): Command {
  return command
    .option('--json', 'print one JSON object on standard output; all other output goes to standard error')
    .addOption(
      new Option('--log-level <level>', 'lowest level to log')
        .choices(['debug', 'info', 'warn', 'error'])
        .default('info'),
    )
    .addOption(
      new Option(
        '--log-format <format>',
        'format of the log; default: text on a terminal, JSON lines otherwise',
      ).choices(['text', 'json']),
    )
    .option('--log-file <file>', 'append the log to this file instead of standard error')
    .option('-q, --quiet', 'log errors only, show no progress');
}

export function withStatusFile(command: Command): Command {
  return command.option(
    '--status-file <path>',
    `the status file, which holds the switch; default: $SYNCPOZO_STATUS, or ${DEFAULT_STATUS_FILE}`,
  );
}

export function withTimeout(command: Command): Command {
  const meaning = 'abandon a read of the master after this time without progress';
  return command.option('--timeout <seconds>', meaning, secondsOption, DEFAULTS.timeoutSeconds);
}

const MOST_WORKERS = 64;

/** `meaning`: what the threads do. */
export function withWorkers(command: Command, meaning: string): Command {
  return command.option(
    '--workers <n>',
    `${meaning}; 0: none; default: by the number of processors, from 1 to 4`,
    countOption(MOST_WORKERS),
  );
}

/** Options of a command that reads long files, with several threads if they are long enough. */
export interface LongOptions extends CommonOptions {
  readonly workers?: number;
  readonly timeout: number;
}

/** What such a command works with: a deadline, which SIGTERM and SIGINT end, and a progress line if stderr is a terminal. */
export interface LongWork {
  readonly deadline: ReadDeadline;
  readonly progress: Progress | undefined;
}

export function beginLongWork({ timeout, quiet }: LongOptions): LongWork {
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort());
  const progress = stderrIsTerminal() && !quiet ? new Progress() : undefined;
  return { deadline: new ReadDeadline(timeout, stop.signal), progress };
}

export function statusFileOf(options: { readonly statusFile?: string }): string {
  return options.statusFile ?? (process.env['SYNCPOZO_STATUS'] || DEFAULT_STATUS_FILE);
}

export function logOf(options: CommonOptions, stderr?: TextSink): OpenedLog {
  const terminal = stderrIsTerminal() && options.logFile === undefined;
  const format = options.logFormat ?? (terminal ? 'text' : 'json');
  const settings = {
    level: options.quiet ? 'error' : options.logLevel,
    format,
    file: options.logFile,
    stderr,
  } as const;
  // pino is a bundle of its own: most runs with --quiet log nothing and need not load it.
  const open = (): OpenedLog => openLog(createRequire(import.meta.url)('#pino').pino, settings);
  return options.quiet && options.logFile === undefined ? lateLog(open) : open();
}

export function printJson(value: unknown): void {
  writeToStdout(`${JSON.stringify(value)}\n`);
}

/** Commander's parser for an option that is a size. */
export function sizeOption(text: string): number {
  const bytes = parseBytes(text);
  if (bytes === undefined || bytes < 1)
    throw new InvalidArgumentError('Expected a size such as 32MiB (B, KiB, MiB, GiB).');
  return bytes;
}

/** Commander's parser for an option that is a number of seconds, more than 0. */
export function secondsOption(text: string): number {
  const seconds = Number(text);
  if (text.trim() === '' || !(seconds > 0) || seconds > 86_400)
    throw new InvalidArgumentError('Expected a number of seconds.');
  return seconds;
}

/** As secondsOption, or 0: not at all. */
export function timeOption(text: string): number {
  return text.trim() === '0' ? 0 : secondsOption(text);
}

/** Commander's parser for an option that is a duration with a unit, in seconds. */
export function durationOption(text: string): number {
  const seconds = parseDuration(text);
  if (seconds === undefined || seconds <= 0)
    throw new InvalidArgumentError('Expected a duration such as 90s, 30min, 2h or 7d.');
  return seconds;
}

/** Commander's parser for an option that is a whole number, from 0 up to `most`. */
export function countOption(most: number): (text: string) => number {
  return (text) => {
    const count = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (!(count <= most)) throw new InvalidArgumentError(`Expected a whole number from 0 to ${most}.`);
    return count;
  };
}

/** Commander's parser for a file's name. A path is refused: it would lead out of the given directories. */
function nameOption(text: string): string {
  if (text === '' || text === '.' || text === '..' || text.includes('/') || text.includes('\0')) {
    throw new InvalidArgumentError("Expected a file's name without a directory.");
  }
  return text;
}

/** Where the name of the file in a directory comes from without --file: see nameInDirectory. */
const OF_ONE_SIDE = `default: ${DEFAULT_FILE}`;
export const OF_TWO_SIDES = `default: that of the other side, if that is given as a file, or ${DEFAULT_FILE}`;

/** `without`: what the name is without the option. */
export function withFileName(command: Command, without = OF_ONE_SIDE): Command {
  return command.option('--file <name>', `name of the file, where a directory is given; ${without}`, nameOption);
}

/** Options of a command that is about a slave and the switch of its host. */
export interface SlaveOptions extends CommonOptions {
  readonly statusFile?: string;
  readonly file?: string;
}

/** `without`: what the file's name is without --file. */
export function withSlaveOptions(command: Command, without = OF_ONE_SIDE): Command {
  return withStatusFile(withCommonOptions(withFileName(command, without)));
}
