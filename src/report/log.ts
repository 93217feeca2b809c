import type { pino as Pino } from 'pino';
import { appendTo, type TextSink, writeToStderr } from '../io/sink.js';
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

export interface LogOptions {
  readonly level: LogLevel;
  readonly format: LogFormat;
  /** A file to append to instead of standard error. */
  readonly file?: string | undefined;
  /** Receives the lines for standard error. */
  readonly stderr?: TextSink | undefined;
}

/** A log that writes every line before the call returns: nothing is lost when the program ends or is killed. */
export function openLog(pino: typeof Pino, options: LogOptions): Log {
  const sink = options.file === undefined ? (options.stderr ?? writeToStderr) : appendTo(options.file);
  const settings = {
    level: options.level,
    base: { pid: process.pid },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return pino(settings, { write: options.format === 'json' ? sink : asText(sink) });
}

/**
 * A log for errors only, opened by the first one: loading pino takes longer than a complete run with nothing new, and
 * cron starts one every minute.
 */
export function lateLog(open: () => Log): Log {
  let log: Log | undefined;
  return {
    ...SILENT,
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
