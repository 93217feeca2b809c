import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { MASTER, type NfsPair, nfsPair, type Timed } from './support/nfs-pair.js';
import { scenesOn } from './support/scene.js';
import { ageOfView } from './support/view-of-size.js';

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
      const { commits: count, median, longest } = ageOfView(commits, output, way);
      const ages = `after ${median.toFixed(2)} s (median), ${longest.toFixed(2)} s (longest)`;
      pair.say(`${way}: ${count} commits, seen ${ages}`);
      assert.ok(count > 5 && longest < 20, way);
    }
    await pair.syncsToTheEnd();
  },

  'root is nobody on the other host, and zope reads': async (pair) => {
    await pair.m1.ok('chmod 600 /srv/zeo/var/Data.fs');
    const asRoot = await pair.m2.inside(`head -c 4 ${MASTER}/var/Data.fs`);
    assert.match(asRoot.output, /Permission denied/);
    const sync = await pair.m2.inside('syncpozo sync main');
    assert.equal(sync.status, 1);
    assert.match(sync.output, /the user that runs syncpozo needs to read the master.*EACCES/);
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
    const comesBack = async (): Promise<boolean> => {
      await pair.m2.ok(`umount ${MASTER}; systemctl reset-failed`);
      await pair.m1.ok('systemctl stop nfs-server');
      await pair.m2.inside(`for try in 1 2 3 4 5 6 7 8 9; do ls ${MASTER}/var; done`);
      const { status, output } = await pair.onSlave('syncpozo sync main');
      assert.equal(status, 1);
      assert.match(output, /an automount has failed.*ENODEV|master out of reach/);
      await pair.m1.ok('systemctl start nfs-server');
      return (await pair.m2.inside(`ls ${MASTER}/var/Data.fs`)).status === 0;
    };
    assert.equal(await comesBack(), true);
    const own = '/etc/systemd/system/mnt-peer-zeo.mount.d/syncpozo.conf';
    // The default counts within ten seconds; on a busy machine nine tries take longer.
    await pair.m2.ok(
      `cp ${own} /tmp/; printf '[Unit]\\nStartLimitIntervalSec=10min\\n' >${own}; systemctl daemon-reload`,
    );
    assert.equal(await comesBack(), false, 'with a limit it does not');
    await pair.m2.ok(`mv /tmp/syncpozo.conf ${own}; systemctl daemon-reload`);
    await pair.mountAgain();
    await pair.syncsToTheEnd();
  },

  'the link is cut in the middle of a sync, soft as in scripts/nfs/fstab': async (pair) => {
    const before = await pair.m2.ok('sha256sum /srv/zeo/var/Data.fs');
    const { sync } = await pair.slowSync('--full');
    pair.m1.cut();
    await ends(pair, sync, /EIO|ETIMEDOUT/);
    assert.equal(await pair.m2.ok('sha256sum /srv/zeo/var/Data.fs'), before);
    assert.equal((await pair.onSlave('syncpozo sync main')).status, 1, 'nor does it hang later');
    await heals(pair);
  },

  'promote while the mount hangs, and the watch runs': async (pair) => {
    await pair.startWriter();
    await pair.m2.ok('systemctl start syncpozo-watch');
    await pair.eventually('the watch follows', async () => (await pair.m2.inside('syncpozo status main')).status === 0);
    await pair.m1.power();
    await sleep(1000);
    const { status, output, seconds } = await pair.onSlave('syncpozo promote main');
    assert.equal(status, 0, output);
    assert.ok(seconds < 60);
  },
});

/** It ends by itself, with a fault. With Node older than 22.15 a run that hangs in a read has to kill itself. */
async function ends(pair: NfsPair, sync: Promise<Timed>, message: RegExp): Promise<void> {
  const from = Date.now();
  const { status, output } = await sync;
  pair.say(`it has ended ${((Date.now() - from) / 1000).toFixed(1)} s later`);
  assert.ok(status === 1 || status === 137, `${status}: ${output}`);
  assert.match(output, message);
}

async function heals(pair: NfsPair): Promise<void> {
  pair.m1.heal();
  await pair.fast();
  await pair.eventually('a sync after the heal', async () => (await pair.onSlave('syncpozo sync main')).status === 0);
  await pair.assertSame();
}
