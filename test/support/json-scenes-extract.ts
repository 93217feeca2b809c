import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Run, syncpozo } from './cli.js';
import { commitWithUndo, timeless, whileBroken } from './json-damage.js';
import type { Scenes } from './json-scenes.js';
import { withBlobs } from './json-scenes-blobs.js';
import type { Pair } from './pair.js';

const ALL = '0'.repeat(16);

/** A run whose files are removed again. */
function extract(pair: Pair, ...more: string[]): Run {
  const [dest, blobs] = [join(pair.directory, 'dest.fs'), join(pair.directory, 'dest.blobs')];
  const run = syncpozo([
    'extract',
    pair.master,
    dest,
    '--json',
    ...(more.includes('--from') ? [] : ['--from', ALL]),
    ...more,
  ]);
  for (const path of [dest, blobs]) rmSync(path, { recursive: true, force: true });
  return run;
}

export const EXTRACT: Scenes = {
  'of all, of nothing, and of a file whose tids name no time': (pair, see) => {
    see(extract(pair));
    see(extract(pair, '--from', 'f'.repeat(16)));
    writeFileSync(pair.masterFile, timeless(2));
    see(extract(pair));
  },
  'with blobs, one of which is missing then': (pair, see) => {
    const { paths, onMaster } = withBlobs(pair);
    const directories = `${onMaster('')}:${join(pair.directory, 'dest.blobs')}`;
    see(extract(pair, '--blobs', directories));
    rmSync(onMaster(paths[0] ?? ''));
    see(extract(pair, '--blobs', directories));
    see(extract(pair));
  },
  'of a file that breaks a rule': (pair, see) => {
    commitWithUndo(pair);
    whileBroken(pair.masterFile, () => see(extract(pair)));
  },
};
