import { resolve } from 'node:path';
import { factsBehindPath } from '../io/facts.js';
import { IoFault } from '../io/fault.js';
import { answersInTime, isOnRemoteMount } from '../io/mount.js';
import type { ReadDeadline } from '../pipeline/read-deadline.js';
import { masterSide, type Side, sideOf } from '../standby/paths.js';

/**
 * MASTER as given on the command line. A child process first probes a network mount, whose server may have disappeared,
 * so that no thread of this process hangs in it. `unprobed`: without that; a watch leaves such a thread behind.
 */
export async function findSide(
  given: string,
  file: string | undefined,
  deadline: ReadDeadline,
  unprobed = false,
): Promise<Side> {
  const path = resolve(given);
  if (!unprobed && isOnRemoteMount(path) && !(await answersInTime(path, deadline.seconds))) {
    throw new IoFault(
      'read',
      path,
      'ETIMEDOUT',
      `master out of reach: its mount has not answered for ${deadline.seconds} s`,
    );
  }
  return masterSide(given, file, (at) => deadline.wait(factsBehindPath(at), 'stat', at));
}

/** MASTER; if it is out of reach, the side that its name suggests, and the fault. */
export async function findSideOrFault(
  given: string,
  file: string | undefined,
  deadline: ReadDeadline,
  unprobed = false,
): Promise<Side & { readonly fault?: IoFault }> {
  try {
    return await findSide(given, file, deadline, unprobed);
  } catch (error) {
    if (!(error instanceof IoFault)) throw error;
    return { ...sideOf(given, file, undefined), fault: error };
  }
}
