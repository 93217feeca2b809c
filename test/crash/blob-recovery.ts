import { join } from 'node:path';
import type { BlobSettings } from '../../src/blobs/settings.js';
import { type BlobCase, blobProblem, blobRecords, blobsIn, claimIn, idOf, keptRecords } from './blob-judge.js';
import { keyOf, placeOf } from './blob-site.js';
import { Identities } from './identities.js';
import { BLOBS } from './image.js';
import { readDisk } from './read-disk.js';

/** As long as it is there, blobs that were packed away may be. */
const BEFORE = 'Data.fs.blobs.before';

/** The options about blobs for a slave in this directory. */
export function settingsFor(of: BlobCase, slave: string): BlobSettings {
  const { site, way, keepPacked } = of;
  return { master: site.directory, slave: join(slave, BLOBS), by: 'records', way, keepPacked };
}

/** What is wrong with the blobs of a slave after a sync that has ended well. */
export function recoveredProblem(of: BlobCase, slave: string): string | undefined {
  const disk = readDisk(slave, new Identities(), true);
  const settled = { ...of, excused: new Set<string>(), doubtful: new Set<string>() };
  const problem = blobProblem(settled, disk);
  if (problem) return problem;
  if (claimIn(disk) === undefined) return 'no blobs are claimed';
  if (disk.names.has(BEFORE)) return `${BEFORE} is left`;
  return treeProblem(settled, disk);
}

/** Nothing is in the tree but the layout and the blobs that are shown: no temporary file, no packed blob. */
function treeProblem(of: BlobCase, disk: ReturnType<typeof readDisk>): string | undefined {
  const { site, keepPacked, had, leavesCopies } = of;
  const shown = new Set(blobRecords(of, disk).map(keyOf));
  const named = [...shown, ...keptRecords(of, disk)];
  const expected = new Set(named.map((key) => join(BLOBS, placeOf(idOf(key), site.layout))));
  for (const name of ['.layout', '.layout.tmp']) expected.add(join(BLOBS, name));
  if (leavesCopies) {
    for (const key of site.contents.keys()) {
      const place = join(BLOBS, placeOf(idOf(key), site.layout));
      if (!had.has(key)) for (const name of [place, `${place}.syncpozo-tmp`]) expected.add(name);
    }
  }
  const extra = [...disk.names.keys()].find((name) => name.startsWith(`${BLOBS}/`) && !expected.has(name));
  if (extra) return `${extra} is left`;
  if (!keepPacked) return undefined;
  const aside = blobsIn(of, disk, `${BLOBS}.old`);
  if (typeof aside === 'string') return aside;
  const gone = [...had].find((key) => !shown.has(key) && !aside.has(key));
  return gone && `the packed blob ${gone} was not kept`;
}

/** Whether a blob is missing for good: each sync says so, and tries again. */
export function isIncomplete(of: BlobCase, slave: string): boolean {
  if (of.site.lost.size === 0) return false;
  const disk = readDisk(slave, new Identities(), true);
  const there = blobsIn(of, disk);
  return typeof there !== 'string' && blobRecords(of, disk).some((record) => !there.has(keyOf(record)));
}
