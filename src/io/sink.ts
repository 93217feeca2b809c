import fs from 'node:fs';
import { isatty } from 'node:tty';
import { attempt, IoFault } from './fault.js';

/** Takes whole lines of text. */
export type TextSink = (text: string) => void;

/** The path that a fault names when it is standard output that takes no more. */
export const STANDARD_OUTPUT = 'standard output';

const STDOUT = 1;
const STDERR = 2;
const RETRY_PAUSE_MS = 5;

/** Whether standard error is a terminal. To ask Node's stream for it would set that up, which takes milliseconds. */
export function stderrIsTerminal(): boolean {
  return isatty(STDERR);
}

/** Writes to standard error before it returns. Where that does not work there is nobody to tell. */
export const writeToStderr: TextSink = (text) => {
  writeTo(STDERR, text);
};

/** Writes to standard output before it returns. A reader that has seen enough is no fault; an output that is full is one. */
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
      // EAGAIN: a pipe whose reader is slow, where the descriptor does not block.
      if (failure.code !== 'EAGAIN') return failure;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_PAUSE_MS);
    }
  }
  return undefined;
}

/** A log file that nothing can be appended to: the operator's mistake, not a fault of the machine. */
export class LogFileMistake extends Error {
  override readonly name = 'LogFileMistake';
  constructor(
    message: string,
    readonly hint: string,
  ) {
    super(message);
  }
}

/**
 * Appends to a file that is opened once, before anything else is done. A line that it does not take (a full disk) goes
 * to standard error: a log that cannot be written must not stop what it reports on.
 *
 * A regular file, a device (/dev/null, a terminal), or what standard error itself is connected to (/dev/stderr). A pipe is
 * refused: to open it, and to write to it, would wait for its reader without end, in a call that no signal ends.
 */
export function appendTo(path: string): TextSink {
  if (isStderr(path)) return writeToStderr;
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
  return (text) => {
    if (writeTo(fd, text)) writeToStderr(text);
  };
}

/** Whether the path leads to the pipe, socket or terminal that standard error is: its reader is there already. */
function isStderr(path: string): boolean {
  try {
    const [there, ours] = [fs.statSync(path), fs.fstatSync(STDERR)];
    return !there.isFile() && there.dev === ours.dev && there.ino === ours.ino;
  } catch {
    // Nothing is there yet, or it cannot be reached: opening it reports that.
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
