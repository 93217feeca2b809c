import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { reasonToSkip } from './support/image.js';
import { MASTER, NfsPair } from './support/nfs-pair.js';
import { scenesOn } from './support/scene.js';

/** A real Linux NFS client and server, with the files of scripts/nfs as install.sh writes them. */
const theatre = {
  skip: reasonToSkip('guests'),
  start: () => NfsPair.start('nfs'),
  explain: (pair: NfsPair) => pair.explain(),
  keep: (pair: NfsPair) => pair.explain(),
};

scenesOn('nfs', theatre, {
  'the mount is what scripts/nfs/fstab asks for': async (pair) => {
    const mounts = await pair.m2.ok(`grep ' ${MASTER} ' /proc/mounts`);
    pair.say(mounts);
    for (const option of ['ro', 'nosuid', 'nodev', 'noexec', 'soft', 'timeo=10', 'retrans=2', 'acregmax=1', 'sec=sys'])
      assert.match(mounts, new RegExp(`[ ,]${option}[ ,]`));
    assert.match(mounts, / nfs4 /);
    assert.match(await pair.m1.ok('exportfs -v'), /192\.168\.1\.12\(.*\bro\b.*\broot_squash\b/);
    const { status, output } = await pair.m2.inside(`touch ${MASTER}/var/x`);
    assert.notEqual(status, 0, output);
  },

  'syncs follow a live writer': async (pair) => {
    await pair.startWriter();
    for (let round = 0; round < 5; round++) {
      const { status, output } = await pair.onSlave('syncpozo sync main');
      assert.equal(status, 0, output);
    }
    const output = await pair.m2.ok(`/opt/venv/bin/python /opt/site/view_of_size.py ${MASTER}/var/Data.fs 10`);
    await pair.stopWriter();
    const commits = await pair.commits();
    for (const way of ['open', 'path', 'held']) {
      const seen = output
        .split('\n')
        .filter((line) => line.startsWith(`${way} `))
        .map((line) => line.split(' ').slice(1).map(Number));
      const from = seen[0]![0]!,
        to = seen.at(-1)![0]!;
      const ages = commits
        .filter(([t]) => t > from && t < to)
        .map(([t, size]) => seen.find(([, s]) => s! >= size)![0]! - t)
        .sort((a, b) => a - b);
      pair.say(
        `${way}: ${ages.length} commits; seen after ${ages[ages.length >> 1]?.toFixed(2)} s (median), ${ages.at(-1)?.toFixed(2)} s (max)`,
      );
    }
    await pair.syncsToTheEnd();
    await sleep(1);
  },
});
