import { rmSync } from 'node:fs';
import { BlobSite } from '../blob-site.js';
import { type Contender, race } from '../race.js';
import type { Measured, Row } from '../row.js';
import type { Scene } from '../scene.js';
import { addsAtMost, faster } from '../target.js';

const MIB = 1 << 20;
/** Blobs beside a file of this size. The cost does not depend on Data.fs, so other sizes would show nothing new. */
const COUNTS: ReadonlyMap<number, number> = new Map([
  [64 * MIB, 20_000],
  [512 * MIB, 200_000],
]);
/** Half of a site's blobs are small: scales of images. */
const SIZES = [700, 3000, 9000, 60_000];

/** A minute's work on a site with many blobs: what a run costs depends on the new ones alone. */
export const blobs: Row = { name: 'blobs', media: ['memory', 'disk'], missing: onlyBeside, measure };

function onlyBeside({ bytes }: Scene): string | undefined {
  return COUNTS.has(bytes) ? undefined : 'only beside files of 64 MiB and 512 MiB';
}

async function measure(scene: Scene): Promise<Measured> {
  const { bytes, peers, runs, onRun } = scene;
  const count = COUNTS.get(bytes) ?? 0;
  const directory = scene.path('blobs');
  try {
    onRun(`making ${count} blobs`);
    const site = new BlobSite(directory);
    site.commit(count, sizeOf);
    site.syncNow();
    site.assertSame();
    const withRsync = peers.rsync.version !== undefined;
    const rsync = (name: string): Contender[] => (withRsync ? [site.rsync(name)] : []);
    const series = await race(
      [
        site.sync('sync, nothing new', 0),
        ...rsync('rsync -a, nothing new'),
        site.sync('sync, 1 new blob', 1, { prepare: () => site.commit(1, sizeOf) }),
        ...rsync('rsync -a, 1 new blob'),
        site.sync('sync, 100 new blobs', 100, { prepare: () => site.commit(100, sizeOf) }),
        ...rsync('rsync -a, 100 new blobs'),
      ],
      runs,
      onRun,
    );
    return {
      title: `${count.toLocaleString('en')} blobs, a minute's work`,
      note: 'rsync copies the blob directory, and nothing of Data.fs.',
      series,
      targets: [
        ...addsAtMost(series, 'sync, 1 new blob', 40, 'sync, nothing new'),
        ...(count >= 200_000 ? faster(series, 'sync, 1 new blob', 50, 'rsync -a, 1 new blob') : []),
      ],
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function sizeOf(number: number): number {
  return SIZES[number % SIZES.length] ?? 0;
}
