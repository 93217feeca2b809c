import { rmSync } from 'node:fs';
import { type Contender, race } from '../race.js';
import type { Measured, Row } from '../row.js';
import { dropFromCache, type Scene } from '../scene.js';
import { atMost, faster, ofLarge } from '../target.js';

/** In addition to the default, which is one worker per processor, up to four. */
const WORKERS = [0, 1];

/** The first copy of a whole file, durable, with every check. */
export const fullCopy: Row = { name: 'full-copy', media: ['memory', 'disk'], measure };

async function measure(scene: Scene): Promise<Measured> {
  const { medium, pair, peers, runs, onRun } = scene;
  const target = scene.path('copy');
  const ready = (): void => {
    pair.clearSlave();
    rmSync(target, { force: true });
    if (medium === 'disk') dropFromCache(pair.master);
  };
  const copied = (): void => {
    pair.assertSame(target);
    rmSync(target);
  };
  // A reflink shares blocks and is no second copy.
  const cp = ['cp', '--reflink=never', pair.master, target];
  const copy: Contender =
    medium === 'disk'
      ? {
          name: 'cp and sync',
          command: ['sh', '-c', '"$@" && sync "$0"', target, ...cp],
          prepare: ready,
          check: copied,
        }
      : { name: 'cp', command: cp, prepare: ready, check: copied };
  const contenders: Contender[] = [pair.sync('sync', 'full', { prepare: ready }), copy];
  for (const count of WORKERS) {
    const options = ['--workers', String(count)];
    contenders.push(pair.sync(`sync, ${count} worker${count === 1 ? '' : 's'}`, 'full', { prepare: ready, options }));
  }
  if (peers.rsync.version !== undefined) {
    const command = ['rsync', '--append-verify', pair.master, target];
    contenders.push({ name: 'rsync --append-verify', command, prepare: ready, check: copied });
  }
  const series = await race(contenders, runs, onRun);
  return {
    title: medium === 'disk' ? 'full copy, durable, the master not in the page cache' : 'full copy',
    series,
    targets: ofLarge(
      scene.bytes,
      medium === 'disk'
        ? [...atMost(series, 'sync', 1, 'cp and sync'), ...faster(series, 'sync', 3, 'rsync --append-verify')]
        : [...atMost(series, 'sync', 1.1, 'cp'), ...faster(series, 'sync', 5, 'rsync --append-verify')],
    ),
  };
}
