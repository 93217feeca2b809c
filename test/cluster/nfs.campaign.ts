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
    await pair.m2.ok(`mv ${own} /tmp/ && systemctl daemon-reload`);
    assert.equal(await tries(), false, 'without the file it would not');
    await pair.m2.ok(`mv /tmp/syncpozo.conf ${own} && systemctl daemon-reload`);
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
    pair.m1.heal();
    await pair.fast();
    await pair.eventually('a sync after the heal', async () => (await pair.onSlave('syncpozo sync main')).status === 0);
    await pair.assertSame();
  },

  'packs on the server, while a sync reads: the next one goes on': async (pair) => {
    for (const options of [
      'vers=4.2,soft,timeo=10,retrans=2,actimeo=1',
      'vers=3,nolock,soft,timeo=10,retrans=2,actimeo=1',
    ]) {
      await pair.mountWith(options);
      await pair.startWriter();
      await sleep(3000);
      await pair.stopWriter();
      await pair.slow();
      const sync = pair.onSlave('syncpozo sync main --full');
      await sleep(6000);
      for (let twice = 0; twice < 2; twice++) {
        const pack =
          'import ZEO.ClientStorage, time; s = ZEO.ClientStorage.ClientStorage(("127.0.0.1", 8100)); s.pack(time.time(), wait=True)';
        await pair.m1.ok(`/opt/venv/bin/python -c '${pack}'`, { user: 'zope' });
        pair.say('packed');
      }
      const { status, output } = await sync;
      assert.ok([0, 1].includes(status), output);
      await pair.fast();
      await pair.syncsToTheEnd();
    }
    await pair.mountAgain();
  },

  'the server loses its power and boots: the watch goes on': async (pair) => {
    await pair.startWriter();
    await pair.m2.ok('systemctl start syncpozo-watch');
    await sleep(10_000);
    await pair.stopWriter();
    await sleep(3000);
    await pair.m1.power();
    await sleep(8000);
    pair.say((await pair.onSlave('syncpozo status main')).output);
    await pair.m1.boot();
    pair.m1.heal();
    await pair.startZeo();
    await pair.startWriter();
    await sleep(5000);
    await pair.stopWriter();
    await pair.eventually(
      'the slave is equal',
      async () => (await pair.m2.inside(`cmp ${MASTER}/var/Data.fs /srv/zeo/var/Data.fs`)).status === 0,
    );
    await pair.m2.ok('systemctl stop syncpozo-watch');
    pair.say(await pair.m2.ok('journalctl -u syncpozo-watch --no-pager | grep -v INFO | cut -c 1-300 | tail -n 20'));
    await pair.assertSame();
  },

  'the directory on the server is another one: what was restored from a backup': async (pair) => {
    await pair.m1.ok('/srv/zeo/bin/zeoctl stop', { user: 'zope' });
    await pair.m1.ok('cp -a /srv/zeo /srv/fresh; rm -rf /srv/zeo; mv /srv/fresh /srv/zeo; exportfs -ra');
    await pair.startZeo();
    const { status } = await pair.onSlave('syncpozo sync main');
    pair.say(`${status}: ${(await pair.m2.inside(`ls -la ${MASTER}`)).output}`);
    await sleep(3000);
    await pair.onSlave('syncpozo sync main');
    await pair.mountAgain();
    await pair.syncsToTheEnd();
  },

  'promote while the mount hangs: soft, the watch runs': async (pair) => {
    await pair.startWriter();
    await pair.m2.ok('systemctl start syncpozo-watch');
    await pair.eventually('the watch follows', async () => (await pair.m2.inside('syncpozo status main')).status === 0);
    await pair.m1.power();
    await sleep(1000);
    const { status, output, seconds } = await pair.onSlave('syncpozo promote main');
    assert.equal(status, 0, output);
    assert.ok(seconds < 60);
  },

  'promote while the mount hangs: hard, a sync hangs in it': async (pair) => {
    await pair.m2.ok(
      'systemctl stop syncpozo-watch; rm -rf /srv/zeo/var/Data.fs* /srv/zeo/blobs/*; rm -f /srv/zeo/blobs/.layout',
    );
    await pair.m1.boot();
    pair.m1.heal();
    await pair.mountWith('hard,timeo=10,retrans=2,actimeo=1');
    await pair.onSlave('syncpozo sync main');
    await pair.slow();
    const sync = pair.onSlave('syncpozo sync main --full --timeout 600s');
    await sleep(8000);
    pair.m1.cut();
    await sleep(3000);
    const { status, output, seconds } = await pair.onSlave('syncpozo promote main');
    assert.equal(status, 0, output);
    assert.ok(seconds < 60);
    pair.say((await pair.m2.inside('ps -eo pid,stat,wchan,args | grep [s]yncpozo')).output);
    pair.m1.heal();
    pair.say(String((await sync).status));
  },
});
