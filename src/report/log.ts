import type { pino as Pino } from 'pino';
import { IoFault } from '../io/fault.js';
import { appendTo, LogFileMistake, type TextSink, writeToStderr } from '../io/sink.js';
import { quote, visible } from './quote.js';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';
export type LogFormat = 'text' | 'json';

/** Fields of a log record, without the standard ones: pino would write such a key twice into one object. */
export type Fields = { readonly [name: string]: unknown } & {
  readonly [name in 'level' | 'time' | 'pid' | 'msg']?: never;
};

/** The interface through which the program logs: fields first, then the message. */
export interface Log {
  debug(fields: Fields, message: string): void;
  info(fields: Fields, message: string): void;
  warn(fields: Fields, message: string): void;
  error(fields: Fields, message: string): void;
}

/** A log whose file, if it has one, can be opened again after somebody has renamed it (logrotate). */
export interface OpenedLog extends Log {
  /** Never throws: a failure is logged, to the file that is open already. */
  reopen(): void;
}

export interface LogOptions {
  readonly level: LogLevel;
  readonly format: LogFormat;
  /** A file to append to instead of standard error. */
  readonly file?: string | undefined;
  /** Receives the lines for standard error. */
  readonly stderr?: TextSink | undefined;
}

/** A log that writes every line before the call returns: nothing is lost when the program ends or is killed. */
export function openLog(pino: typeof Pino, options: LogOptions): OpenedLog {
  const file = options.file === undefined ? undefined : appendTo(options.file);
  const sink = file?.write ?? options.stderr ?? writeToStderr;
  const settings = {
    level: options.level,
    base: { pid: process.pid },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  const log = pino(settings, { write: options.format === 'json' ? sink : asText(sink) });
  const reopen = (): void => {
    try {
      file?.reopen();
    } catch (error) {
      if (!(error instanceof IoFault || error instanceof LogFileMistake)) throw error;
      const hint = `the log goes on in the file that was ${options.file}; make ${options.file} writable, and send HUP again`;
      log.error({ fault: error.message, hint }, 'the log file cannot be opened again');
    }
  };
  return Object.assign(log, { reopen });
}

/**
 * A log for errors only, opened by the first one: loading pino takes longer than a complete run with nothing new, and
 * cron starts one every minute.
 */
export function lateLog(open: () => OpenedLog): OpenedLog {
  let log: OpenedLog | undefined;
  return {
    ...SILENT,
    reopen() {
      log?.reopen();
    },
    error(fields, message) {
      log ??= open();
      log.error(fields, message);
    },
  };
}

/** The same log, with the name of a storage in each record. */
export function logOfStorage(log: Log, storage: string): Log {
  return {
    debug: (fields, message) => log.debug({ storage, ...fields }, message),
    info: (fields, message) => log.info({ storage, ...fields }, message),
    warn: (fields, message) => log.warn({ storage, ...fields }, message),
    error: (fields, message) => log.error({ storage, ...fields }, message),
  };
}

export const SILENT: Log = { debug() {}, info() {}, warn() {}, error() {} };

/** Renders pino's JSON lines for people: time, level, message, then the fields; the hint on a separate line. */
function asText(sink: TextSink): TextSink {
  return (line) => {
    const { time, level, msg, pid: _pid, hint, ...fields } = JSON.parse(line) as Record<string, unknown>;
    const facts = Object.entries(fields).map(([name, value]) => ` ${name}=${renderValue(value)}`);
    const advice = hint === undefined ? '' : `\n${time} hint: ${visible(String(hint))}`;
    sink(
      `${time} ${String(level).toUpperCase()} ${visible(String(msg))}${facts.length > 0 ? ` --${facts.join('')}` : ''}${advice}\n`,
    );
  };
}

function renderValue(value: unknown): string {
  return typeof value === 'string' && /^[!#-~]+$/.test(value) ? value : quote(value);
}
