import { linkSync, mkdirSync, rmSync } from 'node:fs';
import { inProject } from '../../test/support/root.js';
import { python, SYNCPOZO } from '../peers.js';
import { type Contender, must, race } from '../race.js';
import type { Measured, Row } from '../row.js';
import type { Scene } from '../scene.js';
import { addsAtMost } from '../target.js';

const WITH_INDEX = 'import sys; from ZODB.FileStorage import FileStorage; FileStorage(sys.argv[1]).close()';

/** The takeover: promote, then start ZEO on the promoted slave; against ZEO on a file with a fresh index. */
export const promote: Row = {
  name: 'promote',
  media: ['memory', 'disk'],
  missing: ({ peers }) => (peers.has('promote') ? undefined : 'syncpozo has no command promote yet'),
  measure,
};

async function measure(scene: Scene): Promise<Measured> {
  const { pair, peers, runs, onRun } = scene;
  const status = peers.optional('promote', '--status-file', scene.path('status-of-promote'));
  const contenders: Contender[] = [
    {
      name: 'promote',
      command: [...SYNCPOZO, 'promote', '--quiet', ...status, pair.slaveDirectory],
      prepare: () => {
        pair.clearSlave();
        pair.syncNow();
      },
    },
  ];
  if (peers.zodb.version !== undefined) {
    const start = inProject('bench', 'zeo_start.py');
    contenders.push(
      { name: 'ZEO on the promoted slave', command: python(start, pair.slave) },
      { name: 'ZEO with a fresh index', command: python(start, withFreshIndex(scene)) },
    );
  }
  const series = await race(contenders, runs, onRun);
  pair.clearSlave();
  return {
    title: 'promote, and start ZEO',
    series,
    targets: addsAtMost(series, 'ZEO on the promoted slave', 500, 'ZEO with a fresh index'),
  };
}

function withFreshIndex(scene: Scene): string {
  const directory = scene.path('fresh-index');
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory);
  const file = `${directory}/Data.fs`;
  linkSync(scene.pair.master, file);
  must(python('-c', WITH_INDEX, file));
  return file;
}
