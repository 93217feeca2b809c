import { writerOf } from '../io/writers.js';
import type { SlavePaths } from './paths.js';

/** Another program uses the slave, although its lock is free. */
export class SlaveInUse extends Error {
  override readonly name = 'SlaveInUse';
  constructor(
    message: string,
    readonly hint: string,
  ) {
    super(message);
  }
}

/**
 * Throws a SlaveInUse if a process has the slave's file open for writing. The lock cannot show this when somebody has
 * removed the lock file under a running server: the next program creates and locks a new one.
 */
export function refuseOpened({ data, lock }: SlavePaths): void {
  const writer = writerOf(data);
  if (!writer) return;
  const hint = `was ${lock} removed while that process ran? End the process (a ZEO server, as a rule), and never remove ${lock}`;
  throw new SlaveInUse(`process ${writer.pid} has ${data} open for writing, without its lock`, hint);
}
