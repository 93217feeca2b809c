import { dirname } from 'node:path';
import { linkOrRename, removeIfThere, syncDirectory } from '../io/directory.js';
import { ownTemporaryOf } from '../io/replace.js';

/**
 * Makes a file at a path where nothing is: `write` makes it durable under a temporary name, and only then it gets its own. Fails
 * (EEXIST) where somebody has made something there meanwhile.
 */
export async function makeNewFile<T>(path: string, write: (temporary: string) => Promise<T>): Promise<T> {
  const temporary = ownTemporaryOf(path);
  try {
    const result = await write(temporary);
    linkOrRename(temporary, path);
    syncDirectory(dirname(path));
    return result;
  } finally {
    removeIfThere(temporary);
  }
}
