import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { MASTER, nfsPair } from './support/nfs-pair.js';
import { scenesOn } from './support/scene.js';

/** A real Linux NFS client and server, with the files of scripts/nfs as install.sh writes them. */
scenesOn('nfs', nfsPair('nfs'), {
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
    for (let round = 0; round < 2; round++) {
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
  },

  'root is nobody on the other host, and zope reads': async (pair) => {
    await pair.m1.ok('chmod 600 /srv/zeo/var/Data.fs');
    const asRoot = await pair.m2.inside(`head -c 4 ${MASTER}/var/Data.fs`);
    assert.match(asRoot.output, /Permission denied/);
    const sync = await pair.m2.inside('syncpozo sync main');
    pair.say(`sync as root: ${sync.status}: ${sync.output}`);
    assert.notEqual(sync.status, 0);
    await pair.syncsToTheEnd();
    await pair.m1.ok('chmod 644 /srv/zeo/var/Data.fs');
  },

  'an empty directory in the place of the mount: out of reach': async (pair) => {
    await pair.unmount();
    assert.equal(await pair.m2.ok(`ls -A ${MASTER}`), '');
    const before = await pair.m2.ok('sha256sum /srv/zeo/var/Data.fs');
    const { status, output } = await pair.onSlave('syncpozo sync main');
    assert.equal(status, 1);
    assert.match(output, /master out of reach/);
    assert.equal(await pair.m2.ok('sha256sum /srv/zeo/var/Data.fs'), before);
    await pair.mountAgain();
    await pair.syncsToTheEnd();
  },

  'nfs/mount.conf: the mount comes back, however often it was tried while the server was off': async (pair) => {
    const tries = async (): Promise<boolean> => {
      await pair.m2.ok('umount /mnt/peer/zeo; systemctl reset-failed');
      await pair.m1.ok('systemctl stop nfs-server');
      const from = Date.now();
      pair.say((await pair.m2.inside(`for i in 1 2 3 4 5 6 7 8 9; do ls ${MASTER}/var; done`)).output.slice(-200));
      const { status: of, output: said } = await pair.onSlave('syncpozo sync main');
      assert.equal(of, 1, said);
      pair.say(`nine accesses: ${(Date.now() - from) / 1000} s`);
      await pair.m1.ok('systemctl start nfs-server');
      const { status, output } = await pair.m2.inside(
        `ls ${MASTER}/var/Data.fs; x=$?; systemctl --no-pager status mnt-peer-zeo.automount | tail -n 4; exit $x`,
      );
      pair.say(output);
      return status === 0;
    };
    assert.equal(await tries(), true);
    const own = '/etc/systemd/system/mnt-peer-zeo.mount.d/syncpozo.conf';
    // The default counts within ten seconds; on a busy machine nine tries take longer.
    await pair.m2.ok(
      `cp ${own} /tmp/; printf '[Unit]\\nStartLimitIntervalSec=10min\\n' >${own}; systemctl daemon-reload`,
    );
    assert.equal(await tries(), false, 'without the file it would not');
    await pair.m2.ok(`mv /tmp/syncpozo.conf ${own}; systemctl daemon-reload`);
    await pair.mountAgain();
    await pair.syncsToTheEnd();
  },

  'the link is cut in the middle of a sync, soft as in scripts/nfs/fstab': async (pair) => {
    await pair.slow();
    const before = await pair.m2.ok('sha256sum /srv/zeo/var/Data.fs');
    const sync = pair.onSlave('syncpozo sync main --full');
    await sleep(8000);
    pair.m1.cut();
    const cut = Date.now();
    const { status, output } = await sync;
    const seconds = (Date.now() - cut) / 1000;
    pair.say(`ended ${seconds.toFixed(1)} s after the cut`);
    assert.equal(status, 1, output);
    assert.equal(await pair.m2.ok('sha256sum /srv/zeo/var/Data.fs'), before);
    await pair.onSlave('syncpozo sync main');
    pair.m1.heal();
    await pair.fast();
    await pair.eventually('a sync after the heal', async () => (await pair.onSlave('syncpozo sync main')).status === 0);
    await pair.assertSame();
  },

  'the link is cut in the middle of a sync, hard': async (pair) => {
    await pair.mountWith('hard,timeo=10,retrans=2,actimeo=1');
    await pair.slow();
    const sync = pair.onSlave('syncpozo sync main --full --timeout 15s');
    await sleep(8000);
    pair.m1.cut();
    const cut = Date.now();
    const { status, output } = await sync;
    pair.say(`ended ${((Date.now() - cut) / 1000).toFixed(1)} s after the cut`);
    assert.ok([1, 137].includes(status), output);
    assert.match(output, /no progress|has not answered/);
    const stuck = pair.onSlave('syncpozo sync main --timeout 600s');
    await sleep(8000);
    await pair.m2.ok(`umount -f -l ${MASTER}`);
    assert.equal((await stuck).status, 1);
    pair.m1.heal();
    await pair.mountAgain();
    await pair.fast();
    await pair.eventually('a sync after the heal', async () => (await pair.onSlave('syncpozo sync main')).status === 0);
    await pair.assertSame();
  },
});
