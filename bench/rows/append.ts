import { truncateSync } from 'node:fs';
import { type Contender, race } from '../race.js';
import type { Measured, Row } from '../row.js';
import type { Scene } from '../scene.js';
import { addsAtMost, faster, ofLarge } from '../target.js';

const MIB = 1 << 20;

/** The transactions of a minute: a short tail, in two lengths. */
export const append: Row = { name: 'append', media: ['memory', 'disk'], measure };

async function measure(scene: Scene): Promise<Measured> {
  const { pair, peers, runs, onRun } = scene;
  pair.syncNow();
  let before = pair.bytes;
  const grow = (bytes: number) => (): void => {
    before = pair.bytes;
    pair.grow(bytes);
  };
  const contenders: Contender[] = [
    pair.sync('sync, nothing new', 'none'),
    pair.sync('sync of 1 MiB', 'append', { prepare: grow(MIB) }),
  ];
  if (peers.rsync.version !== undefined) {
    contenders.push({
      name: 'rsync --append-verify of 1 MiB',
      command: ['rsync', '--append-verify', pair.master, pair.slave],
      // Removes the tail that the sync has just appended, so that it is appended again.
      prepare: () => truncateSync(pair.slave, before),
      check: () => pair.assertSame(pair.slave),
    });
  }
  contenders.push(pair.sync('sync of 16 MiB', 'append', { prepare: grow(16 * MIB) }));
  const series = await race(contenders, runs, onRun);
  return {
    title: 'append of a tail',
    series,
    targets: [
      ...addsAtMost(series, 'sync of 1 MiB', 40, 'sync, nothing new'),
      ...ofLarge(scene.bytes, faster(series, 'sync of 1 MiB', 20, 'rsync --append-verify of 1 MiB')),
    ],
  };
}
