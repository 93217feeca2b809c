import { type FileFacts, factsOfPath, realPath } from '../io/facts.js';
import { IoFault } from '../io/fault.js';

/** undefined: not there, or not for this user. */
export function factsAt(path: string): FileFacts | undefined {
  return ifAllowed(() => {
    const real = realPath(path);
    return real === undefined ? undefined : factsOfPath(real);
  });
}

/** The path without links; undefined as for factsAt. */
export function realPathAt(path: string): string | undefined {
  return ifAllowed(() => realPath(path));
}

function ifAllowed<T>(ask: () => T): T | undefined {
  try {
    return ask();
  } catch (error) {
    if (error instanceof IoFault) return undefined;
    throw error;
  }
}
