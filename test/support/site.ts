import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export { BlobDirectory } from '../../src/demo/blobs.js';
export { type Change, type Edit, Site, type SiteOptions } from '../../src/demo/site.js';

/** Calls `use` with a new directory that is removed afterwards in any case; SYNCPOZO_KEEP keeps it after a failure. */
export async function withTempDir<T>(
  use: (directory: string) => T | Promise<T>,
  parent: string = tmpdir(),
): Promise<T> {
  const directory = await mkdtemp(join(parent, 'syncpozo-test-'));
  const remove = () => rm(directory, { recursive: true, force: true });
  try {
    const result = await use(directory);
    await remove();
    return result;
  } catch (error) {
    if (process.env['SYNCPOZO_KEEP']) process.stderr.write(`kept: ${directory}\n`);
    else await remove();
    throw error;
  }
}

/** A clock that starts at a fixed time and advances one second per call, so that tids, and bytes, are always the same. */
export function steadyClock(start = Date.UTC(2026, 0, 1)): () => number {
  let time = start;
  return () => {
    time += 1000;
    return time;
  };
}
