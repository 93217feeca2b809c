import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { remove } from 'fs-extra/esm';
import { attempt, IoFault } from './fault.js';

/**
 * Creates a directory that only its owner may enter, in the system's directory for temporary files. Returns its path.
 */
export function makeTemporaryDirectory(prefix: string): string {
  const start = join(tmpdir(), prefix);
  return attempt('mkdtemp', start, () => fs.mkdtempSync(start));
}

export function makeDirectory(path: string): void {
  attempt('mkdir', path, () => fs.mkdirSync(path));
}

/** Removes a directory and everything in it. */
export async function removeTree(path: string): Promise<void> {
  try {
    await remove(path);
  } catch (error) {
    throw IoFault.from(error, 'remove', path);
  }
}
