import fs from 'node:fs';
import { attempt } from './fault.js';

/** Takes whole lines of text. */
export type TextSink = (text: string) => void;

const STDOUT = 1;
const STDERR = 2;
const RETRY_PAUSE_MS = 5;

/** Writes to standard error before it returns. A reader that has gone away is not our fault and stops nothing. */
export const writeToStderr: TextSink = (text) => writeTo(STDERR, text);
export const writeToStdout: TextSink = (text) => writeTo(STDOUT, text);

function writeTo(fd: number, text: string): void {
  const bytes = Buffer.from(text, 'utf8');
  for (let done = 0; done < bytes.length; ) {
    try {
      done += fs.writeSync(fd, bytes, done);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      // A pipe whose reader is slow, where the descriptor does not block.
      if (code !== 'EAGAIN') return;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_PAUSE_MS);
    }
  }
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
