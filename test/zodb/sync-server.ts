import { createInterface } from 'node:readline';
import { beAlone } from '../support/alone.js';
import { type SyncOptions, syncByProcess, syncInProcess } from './syncer.js';

/**
 * Syncs for Python: one question per line on stdin, one answer per line on stdout. Runs thousands of syncs in one process with
 * the command line's own function, or each with the command line if the question asks for it.
 */
interface Question extends SyncOptions {
  readonly master: string;
  readonly slave: string;
  readonly byProcess?: boolean;
}

beAlone();
for await (const line of createInterface({ input: process.stdin })) {
  const { master, slave, byProcess, ...options } = JSON.parse(line) as Question;
  const sync = byProcess ? syncByProcess : syncInProcess;
  process.stdout.write(`${JSON.stringify(await sync(master, slave, options))}\n`);
}
