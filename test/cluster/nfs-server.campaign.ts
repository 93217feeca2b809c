import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { MASTER, nfsPair } from './support/nfs-pair.js';
import { scenesOn } from './support/scene.js';

const PACK = `/opt/venv/bin/python -c '
import time, ZEO.ClientStorage
ZEO.ClientStorage.ClientStorage(("127.0.0.1", 8100)).pack(time.time(), wait=True)'`;

/** What happens to the server of a real Linux NFS: packs, a power cut, a restore, and a takeover while the mount hangs. */
scenesOn('nfs-server', nfsPair('nfs-server'), {
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
    await pair.m1.boot();
    pair.m1.heal();
    await pair.slaveAgain();
    await pair.mountWith('hard,timeo=10,retrans=2,actimeo=1');
    const { sync } = await pair.slowSync('--full --timeout 600');
    pair.m1.cut();
    await sleep(3000);
    const { status, output, seconds } = await pair.onSlave('syncpozo promote main');
    assert.equal(status, 0, output);
    assert.ok(seconds < 60);
    pair.m1.heal();
    await pair.fast();
    assert.notEqual((await sync).status, 0, 'it was ended');
  },

  'the server loses its power and boots: the watch goes on': async (pair) => {
    await pair.slaveAgain();
    await pair.startZeo();
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

  'packs on the server, while a sync reads: the next one goes on': async (pair) => {
    for (const options of [
      'vers=4.2,soft,timeo=10,retrans=2,actimeo=1',
      'vers=3,nolock,soft,timeo=10,retrans=2,actimeo=1',
    ]) {
      await pair.mountWith(options);
      await pair.startWriter();
      await sleep(3000);
      await pair.stopWriter();
      const { sync } = await pair.slowSync('--full');
      // The second one removes the file that the sync reads.
      for (let pack = 0; pack < 2; pack++) await pair.m1.ok(PACK, { user: 'zope' });
      pair.say('packed twice');
      const { status, output } = await sync;
      assert.ok(status === 0 || (status === 1 && /ESTALE|exchanged/.test(output)), output);
      await pair.fast();
      await pair.syncsToTheEnd();
    }
    await pair.mountAgain();
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
});
