import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export { type Change, type Edit, Site, type SiteOptions } from '../../src/demo/site.js';

/** Runs `use` with a fresh directory that is gone afterwards, whatever happened; SYNCPOZO_KEEP keeps that of a failure. */
export async function withTempDir<T>(use: (directory: string) => T | Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'syncpozo-test-'));
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

/** A clock that starts at a fixed moment and goes on by one second a call: tids, and so bytes, are the same every time. */
export function steadyClock(start = Date.UTC(2026, 0, 1)): () => number {
  let time = start;
  return () => {
    time += 1000;
    return time;
  };
}
