import { rmSync } from 'node:fs';
import { type Contender, race } from '../race.js';
import type { Measured, Row } from '../row.js';
import type { Scene } from '../scene.js';
import { type Distance, SlowMount } from '../slow-mount.js';
import { atMost } from '../target.js';

/** NFS with rsize=1048576: with a read-ahead of one full request, and of less. */
const FAR: readonly (Distance & { readonly name: string })[] = [
  { name: '0 ms', milliseconds: 0, readAheadKib: 1024 },
  { name: '1 ms', milliseconds: 1, readAheadKib: 1024 },
  { name: '10 ms', milliseconds: 10, readAheadKib: 1024 },
  { name: '10 ms, 128 KiB', milliseconds: 10, readAheadKib: 128 },
];
/** Throughput holds if a copy takes at most this many times as long as without the delay. */
const HOLDS = 1.25;

/** The first copy of a master behind a mount that delays every read. */
export const network: Row = {
  name: 'network',
  media: ['network'],
  missing: (scene) => SlowMount.missing(scene.pair.masterDirectory, scene.path('mount')),
  measure,
};

async function measure(scene: Scene): Promise<Measured> {
  const mounts: SlowMount[] = [];
  try {
    const contenders: Contender[] = [];
    for (const distance of FAR) {
      const place = scene.path(`mount ${distance.name}`);
      const mount = await SlowMount.mount(scene.pair.masterDirectory, place, distance);
      mounts.push(mount);
      contenders.push(...through(mount, distance.name, scene));
    }
    const series = await race(contenders, scene.runs, scene.onRun);
    return {
      title: 'full copy, the master behind a slow mount',
      note:
        'The mount is FUSE; each read request of its kernel waits so long, and many may wait at once. Requests are of 1 MiB, as on NFS ' +
        'with rsize=1048576, or of 128 KiB where that is said. The files themselves lie in memory.',
      series,
      targets: FAR.slice(1).flatMap(({ name }) => [
        ...atMost(series, `sync, ${name}`, HOLDS, 'sync, 0 ms'),
        ...atMost(series, `sync, ${name}`, 1, `cp, ${name}`),
      ]),
    };
  } finally {
    await Promise.all(mounts.map((mount) => mount.unmount()));
  }
}

function through(mount: SlowMount, name: string, scene: Scene): Contender[] {
  const { pair } = scene;
  const target = scene.path('copy');
  const prepare = (): void => {
    pair.clearSlave();
    rmSync(target, { force: true });
    mount.forget('Data.fs');
  };
  return [
    pair.sync(`sync, ${name}`, 'full', { from: mount.directory, prepare }),
    pair.sync(`nothing new, ${name}`, 'none', { from: mount.directory }),
    {
      name: `cp, ${name}`,
      command: ['cp', `${mount.directory}/Data.fs`, target],
      prepare,
      check: () => pair.assertSame(target),
    },
  ];
}
