import { removeIfThere, syncDirectory } from '../io/directory.js';
import type { SlavePaths } from './paths.js';

/**
 * Takes the role of a promoted slave back, durably, by removing its `.dat`: what it says of the slave is out of date since
 * a server has written to it. The next sync compares all of it with the master. The caller holds the lock.
 */
export function demote(paths: SlavePaths): void {
  removeIfThere(paths.dat);
  syncDirectory(paths.directory);
}
