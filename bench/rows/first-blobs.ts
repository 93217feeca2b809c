import { rmSync } from 'node:fs';
import { BlobSite } from '../blob-site.js';
import { type Contender, race } from '../race.js';
import type { Measured, Row } from '../row.js';
import type { Scene } from '../scene.js';

const MIB = 1 << 20;
const SMALL_BLOBS = 20_000;
const SMALL = 4000;
const LARGE_BLOBS = 16;
const LARGE = 64 * MIB;
const HUGE = 4096 * MIB;
/** The cost does not depend on Data.fs. */
const BESIDE = 64 * MIB;
const RUNS = 3;

/** The first copy of a blob directory: small files by the second, large ones by the byte, and one of 4 GiB. */
export const firstBlobs: Row = {
  name: 'first-blobs',
  media: ['memory', 'disk'],
  missing: ({ bytes }) => (bytes === BESIDE ? undefined : 'only beside files of 64 MiB'),
  measure,
};

async function measure(scene: Scene): Promise<Measured> {
  const small = siteOf(scene, 'small', SMALL_BLOBS, SMALL);
  const large = siteOf(scene, 'large', LARGE_BLOBS, LARGE);
  const huge = siteOf(scene, 'huge', 1, HUGE);
  try {
    const contenders = [
      ...pair(scene, small, '20,000 blobs of 4 KB', SMALL_BLOBS),
      ...pair(scene, large, '16 blobs of 64 MiB', LARGE_BLOBS),
      ...pair(scene, huge, '1 blob of 4 GiB', 1),
    ];
    const series = await race(contenders, Math.min(RUNS, scene.runs), scene.onRun);
    return {
      title: 'first copy of blobs',
      note: 'The sync makes every file durable, and hashes it; rsync leaves both out.',
      series,
      targets: [],
    };
  } finally {
    rmSync(scene.path('first-blobs'), { recursive: true, force: true });
  }
}

function siteOf(scene: Scene, name: string, count: number, size: number): BlobSite {
  scene.onRun(`making ${count} blobs`);
  const site = new BlobSite(scene.path('first-blobs', name));
  site.commit(count, () => size);
  return site;
}

function pair({ peers }: Scene, site: BlobSite, what: string, count: number): Contender[] {
  const clear = (): void => {
    site.clearCopy();
    site.clearSlave();
  };
  const sync = site.sync(`sync, ${what}`, count, { prepare: clear });
  return peers.rsync.version === undefined ? [sync] : [sync, site.rsync(`rsync -a, ${what}`, { prepare: clear })];
}
