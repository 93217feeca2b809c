import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { remove } from 'fs-extra/esm';
import { attempt } from './fault.js';

/** Makes a new directory, which only its owner may enter, where the system keeps temporary ones. Returns its path. */
export function makeTemporaryDirectory(prefix: string): string {
  const start = join(tmpdir(), prefix);
  return attempt('mkdtemp', start, () => fs.mkdtempSync(start));
}

export function makeDirectory(path: string): void {
  attempt('mkdir', path, () => fs.mkdirSync(path));
}

/** Removes a directory with all that is in it. */
export async function removeTree(path: string): Promise<void> {
  await remove(path);
}
