import { type FileFacts, factsOfPath, realPath } from '../io/facts.js';
import { IoFault } from '../io/fault.js';

/** undefined: not there, or not for this user. */
export function factsAt(path: string): FileFacts | undefined {
  try {
    const real = realPath(path);
    return real === undefined ? undefined : factsOfPath(real);
  } catch (error) {
    if (error instanceof IoFault) return undefined;
    throw error;
  }
}
