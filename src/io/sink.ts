import fs from 'node:fs';
import { isatty } from 'node:tty';
import { isDataFile } from './data-file.js';
import { attempt, IoFault } from './fault.js';

/** Receives complete lines of text. */
export type TextSink = (text: string) => void;

/** The path in a fault of standard output. */
export const STANDARD_OUTPUT = 'standard output';

const STDOUT = 1;
const STDERR = 2;
const RETRY_PAUSE_MS = 5;

/** Whether standard error is a terminal. Node's own stream would take milliseconds to set up. */
export function stderrIsTerminal(): boolean {
  return isatty(STDERR);
}

/** Writes to standard error synchronously. A failure is ignored: there is no other place to report it. */
export const writeToStderr: TextSink = (text) => {
  writeTo(STDERR, text);
};

/** Writes to standard output synchronously. A reader that has closed the pipe is no fault; a full output is one. */
export const writeToStdout: TextSink = (text) => {
  const error = writeTo(STDOUT, text);
  if (error?.code !== undefined && error.code !== 'EPIPE') throw IoFault.from(error, 'write to', STANDARD_OUTPUT);
};

function writeTo(fd: number, text: string): NodeJS.ErrnoException | undefined {
  const bytes = Buffer.from(text, 'utf8');
  for (let done = 0; done < bytes.length; ) {
    try {
      done += fs.writeSync(fd, bytes, done);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      const failure: NodeJS.ErrnoException = error;
      // EAGAIN: a non-blocking pipe whose reader is slow.
      if (failure.code !== 'EAGAIN') return failure;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_PAUSE_MS);
    }
  }
  return undefined;
}

/** A log file that cannot be appended to: the operator's mistake, not a fault of the machine. */
export class LogFileMistake extends Error {
  override readonly name = 'LogFileMistake';
  constructor(
    message: string,
    readonly hint: string,
  ) {
    super(message);
  }
}

/** A log file that is open. */
export interface LogFile {
  readonly write: TextSink;
  /**
   * Opens the path again, for a file that was renamed to be rotated. Throws as appendTo does if that is not possible; then the
   * file that is open stays in use.
   */
  reopen(): void;
}

/**
 * Appends to a log file, which is opened once, before the run starts. A line that cannot be written (a full disk) goes
 * to standard error: a failing log must not stop the run.
 *
 * Accepts a regular file, a character device (/dev/null, a terminal), or whatever standard error is connected to
 * (/dev/stderr). Refuses a pipe: open and write would wait for its reader without limit, in a call that no signal
 * interrupts.
 */
export function appendTo(path: string): LogFile {
  if (isStderr(path)) return { write: writeToStderr, reopen() {} };
  let fd = openToAppend(path);
  return {
    write(text) {
      if (writeTo(fd, text)) writeToStderr(text);
    },
    reopen() {
      const before = fd;
      fd = openToAppend(path);
      try {
        fs.closeSync(before);
      } catch {
        // A fault of the old file, which is in use no longer.
      }
    },
  };
}

function openToAppend(path: string): number {
  const { O_WRONLY, O_APPEND, O_CREAT, O_NONBLOCK } = fs.constants;
  let fd: number;
  try {
    fd = attempt('open log file', path, () => fs.openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK, 0o644));
  } catch (error) {
    throw mistakeOf(error, path) ?? error;
  }
  const stats = attempt('fstat', path, () => fs.fstatSync(fd));
  if (!stats.isFile() && !stats.isCharacterDevice()) {
    fs.closeSync(fd);
    throw notARegularFile(path);
  }
  if (stats.isFile() && isDataFile(attempt('realpath', path, () => fs.realpathSync(path)))) {
    fs.closeSync(fd);
    throw new LogFileMistake(`the log file ${path} is a Data.fs`, 'nothing was written to it; name another file');
  }
  return fd;
}

/** Whether the path leads to the pipe, socket or terminal behind standard error: that one already has its reader. */
function isStderr(path: string): boolean {
  try {
    const [there, ours] = [fs.statSync(path), fs.fstatSync(STDERR)];
    return !there.isFile() && there.dev === ours.dev && there.ino === ours.ino;
  } catch {
    // The path does not exist or cannot be reached; opening it reports that.
    return false;
  }
}

function mistakeOf(error: unknown, path: string): LogFileMistake | undefined {
  if (!(error instanceof IoFault)) return undefined;
  // A pipe without a reader, a socket, or a directory.
  if (error.code === 'ENXIO' || error.code === 'EISDIR') return notARegularFile(path);
  if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') return undefined;
  return new LogFileMistake(`the log file ${path} cannot be made: its directory does not exist`, hintFor(path));
}

function notARegularFile(path: string): LogFileMistake {
  return new LogFileMistake(`the log file ${path} is not a regular file`, hintFor(path));
}

function hintFor(path: string): string {
  return `name a file in a directory that exists instead of ${path}; without --log-file the log goes to standard error`;
}
