import { join } from 'node:path';
import { listDirectory } from '../io/directory.js';
import { factsOfPath, realPath } from '../io/facts.js';
import { IoFault } from '../io/fault.js';
import type { BlobsClaim } from '../standby/blobs-claim.js';
import { LAYOUT_FILE } from './layout.js';

/**
 * Why the blobs of a claim cannot be in their directory: it is missing, or empty, as a mount point is without its disk. undefined:
 * no reason is seen; the files of the blobs are not looked at.
 */
export function problemOfDirectory({ directory, count }: BlobsClaim): string | undefined {
  try {
    const path = realPath(directory);
    if (path === undefined) return `the slave's blob directory ${directory} does not exist`;
    const mayHaveBlobs = factsOfPath(join(path, LAYOUT_FILE)) !== undefined || listDirectory(path).length > 0;
    return count === 0 || mayHaveBlobs ? undefined : `${directory} has no blob; is its disk mounted?`;
  } catch (error) {
    if (error instanceof IoFault) return error.message;
    throw error;
  }
}
