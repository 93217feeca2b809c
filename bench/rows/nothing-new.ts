import { mkdirSync } from 'node:fs';
import { python } from '../peers.js';
import { type Contender, must, race } from '../race.js';
import type { Measured, Row } from '../row.js';
import type { Scene } from '../scene.js';
import { addsAtMost, faster, ofLarge, withinShare } from '../target.js';

const SMALL = 64 << 20;
/** A few milliseconds matter here, and a run is short. */
const TIMES_A_TURN = 3;

/** The most frequent cron run: the master has not changed. */
export const nothingNew: Row = { name: 'nothing-new', media: ['memory', 'disk'], measure };

async function measure(scene: Scene): Promise<Measured> {
  const { bytes, pair, runs, onRun } = scene;
  pair.syncNow();
  const short: Contender[] = [
    { name: 'node -e 0', command: [process.execPath, '-e', '0'] },
    pair.sync('sync', 'none'),
    ...(bytes > SMALL ? [scene.small(SMALL).sync('sync of 64 MiB', 'none')] : []),
  ];
  const turn = Array.from({ length: TIMES_A_TURN }, () => short).flat();
  const series = await race([...turn, ...repozo(scene)], runs, onRun);
  return {
    title: 'nothing new',
    series,
    targets: [
      ...addsAtMost(series, 'sync', 40, 'node -e 0'),
      ...withinShare(series, 'sync', 0.1, 'sync of 64 MiB'),
      ...ofLarge(bytes, faster(series, 'sync', 25, 'repozo -B -Q')),
    ],
  };
}

function repozo(scene: Scene): Contender[] {
  if (scene.peers.zodb.version === undefined) return [];
  const repository = scene.path('repozo');
  mkdirSync(repository, { recursive: true });
  const command = python('-m', 'ZODB.scripts.repozo', '-B', '-Q', '-r', repository, '-f', scene.pair.master);
  must(command);
  return [{ name: 'repozo -B -Q', command }];
}
