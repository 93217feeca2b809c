import { createInterface } from 'node:readline';
import { type SyncOptions, syncByProcess, syncInProcess } from './syncer.js';

/**
 * Syncs for Python: a question a line on stdin, an answer a line on stdout. Thousands of syncs in one process, by the same
 * function that the command line calls, or each by the command line where the question says so.
 */
interface Question extends SyncOptions {
  readonly master: string;
  readonly slave: string;
  readonly byProcess?: boolean;
}

for await (const line of createInterface({ input: process.stdin })) {
  const { master, slave, byProcess, ...options } = JSON.parse(line) as Question;
  const sync = byProcess ? syncByProcess : syncInProcess;
  process.stdout.write(`${JSON.stringify(await sync(master, slave, options))}\n`);
}
