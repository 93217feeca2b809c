import { writeToStderr } from '../io/sink.js';
import { Exchanged } from '../pipeline/copy.js';
import { Interrupted } from '../pipeline/read-deadline.js';
import { ConfigurationMistake } from '../report/configuration-mistake.js';
import { visible } from '../report/quote.js';
import { hintOf, isForeseen } from '../round/exit.js';

/** Prints an error that a command has thrown, with its hint. `storage`: the one that the command was at. */
export function reportError(error: unknown, storage?: string): void {
  const hint = hintOf(error);
  const advice = hint ? `hint: ${visible(hint)}\n` : '';
  // Each line begins with the file and the line, as editors know it.
  if (error instanceof ConfigurationMistake)
    writeToStderr(error.lines.map((line) => `${visible(line)}\n`).join('') + advice);
  else writeToStderr(`syncpozo: ${storage === undefined ? '' : `${storage}: `}${textOf(error)}\n${advice}`);
}

function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // These end the work as asked, or are for the next run.
  const isExpected = error instanceof Interrupted || error instanceof Exchanged;
  return isExpected || isForeseen(error) ? visible(error.message) : (error.stack ?? error.message);
}
