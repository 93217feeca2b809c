import fs from 'node:fs';
import { isatty } from 'node:tty';
import { attempt, IoFault } from './fault.js';

/** Takes whole lines of text. */
export type TextSink = (text: string) => void;

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
  if (error?.code !== undefined && error.code !== 'EPIPE') throw IoFault.from(error, 'write to', 'standard output');
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

/**
 * Appends to a file that is opened once, before anything else is done. A line that it does not take (a full disk) goes
 * to standard error: a log that cannot be written must not stop what it tells of.
 */
export function appendTo(path: string): TextSink {
  const fd = attempt('open log file', path, () => fs.openSync(path, 'a', 0o644));
  return (text) => {
    try {
      fs.writeSync(fd, text);
    } catch {
      writeToStderr(text);
    }
  };
}
