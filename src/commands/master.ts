import { resolve } from 'node:path';
import type { Patience } from '../engine/patience.js';
import { factsBehindPath } from '../io/facts.js';
import { IoFault } from '../io/fault.js';
import { answersInTime, isOnRemoteMount } from '../io/mount.js';
import { masterPath } from '../standby/paths.js';

/**
 * The path of the master's file from what was given on the command line. A network mount whose server has vanished is
 * found out by a child process first, so that none of our own threads hangs in it.
 */
export async function findMaster(given: string, file: string, patience: Patience): Promise<string> {
  const path = resolve(given);
  if (isOnRemoteMount(path) && !(await answersInTime(path, patience.seconds))) {
    throw new IoFault(
      'read',
      path,
      'ETIMEDOUT',
      `master out of reach: its mount has not answered for ${patience.seconds} s`,
    );
  }
  return masterPath(given, file, (at) => patience.wait(factsBehindPath(at), 'stat', at));
}
