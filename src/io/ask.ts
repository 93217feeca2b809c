import { createInterface } from 'node:readline/promises';
import { isatty } from 'node:tty';

const STDIN = 0;

/** Whether a person can be asked. */
export function stdinIsTerminal(): boolean {
  return isatty(STDIN);
}

/** Asks on standard error, and waits for the answer. Anything but yes is no. */
export async function asksYes(question: string): Promise<boolean> {
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  try {
    // An end of the input, as by Ctrl-D, is no answer.
    const ended = new Promise<string>((resolve) => asking.once('close', () => resolve('')));
    const answer = await Promise.race([asking.question(`${question} [y/N] `), ended]);
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    asking.close();
  }
}
