import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Host } from './support/host.js';
import { reasonToSkip } from './support/image.js';
import { withJournals } from './support/journals.js';
import { Network } from './support/network.js';
import { configuration, exchangeKeys } from './support/set-up.js';

const INSTALL = '/opt/syncpozo/scripts/install.sh';
const PEER = '/mnt/peer/zeo';
const skip = reasonToSkip();

/** Every sample by its own program, as it is installed below this folder; `.` stands for a folder with a manager's files. */
const LINTS: readonly (readonly [what: string, command: string, output?: RegExp])[] = [
  ['Apache', 'apache2ctl configtest', /Syntax OK/],
  ['HAProxy', 'haproxy -c -f /opt/syncpozo/scripts/haproxy/haproxy.cfg', /valid/i],
  ['Varnish', 'for f in /opt/syncpozo/scripts/varnish/*.vcl; do [ ! -e "$f" ] || varnishd -C -f "$f" >/dev/null; done'],
  [
    'keepalived',
    'cp -r keepalived/usr/local/lib/syncpozo/keepalived /usr/local/lib/syncpozo/ && keepalived -t -f keepalived/etc/keepalived/keepalived.conf',
  ],
  ['corosync', 'COROSYNC_MAIN_CONFIG_FILE=$PWD/pacemaker/etc/corosync/corosync.conf corosync -t'],
  ['fstab', 'findmnt --verify --tab-file heartbeat/etc/fstab', / 0 parse errors, 0 errors|Success/],
  ['cron', 'crontab -n heartbeat/crontab'],
  ['logrotate', 'logrotate -d heartbeat/etc/logrotate.d/syncpozo'],
  ['systemd', 'systemd-analyze verify --man=no --recursive-errors=no /etc/systemd/system/syncpozo-*.service', /^$/],
];

describe('install.sh on hosts that run', { skip }, () => {
  let network: Network;
  let m1: Host;
  let m2: Host;

  const scene = (title: string, run: () => Promise<void>): Promise<void> =>
    it(title, () => withJournals(title, network, run));

  before(async () => {
    network = await Network.start();
    [m1, m2] = [network.host('m1', 1), network.host('m2', 2)];
    await Promise.all([m1.boot(), m2.boot()]);
    for (const host of [m1, m2]) {
      await host.put('/etc/syncpozo.yml', configuration({}));
      await host.ok('install -d -o zope -g zope -m 750 /srv/zeo /srv/zeo/var');
    }
  });

  after(() => network?.end());

  scene('refuses the name of the other host, and a program that is missing', async () => {
    const other = await m1.inside(`${INSTALL} --host m2`);
    assert.equal(other.status, 3);
    assert.match(other.output, /^install\.sh: this host is m1, not m2\nhint: run it on both hosts/);
    await m1.ok('mv /usr/bin/sshfs /usr/bin/sshfs.away');
    const missing = await m1.inside(`${INSTALL} --host m1`);
    await m1.ok('mv /usr/bin/sshfs.away /usr/bin/sshfs');
    assert.equal(missing.status, 3);
    assert.match(missing.output, /programs are missing: sshfs\nhint: apt-get install sshfs$/m);
    assert.equal(await m1.ok('ls /usr/local/lib/syncpozo 2>/dev/null || echo nothing'), 'nothing');
  });

  scene('installs everything, starts nothing, and has nothing to do the second time', async () => {
    assert.match(await m1.ok(`${INSTALL} --host m1 --dry-run`), /^dry run: nothing was changed; /m);
    assert.equal(await m1.ok('ls /usr/local/lib/syncpozo 2>/dev/null || echo nothing'), 'nothing');
    await m1.ok('systemctl enable heartbeat');
    assert.equal((await m1.inside('grep -c \'(echo ">>>"; cat -;\' /etc/ha.d/shellfuncs')).output, '1\n');
    const done = await m1.ok(`${INSTALL} --host m1`);
    assert.match(done, /^Left for you, on m1:$/m);
    const units = ['guard', 'clients', 'watch', 'peer'].map((name) => `syncpozo-${name}.service`).join(' ');
    const { output } = await m1.inside(`systemctl is-enabled ${units} heartbeat.service`);
    assert.deepEqual(output.trim().split('\n'), ['enabled', 'enabled', 'enabled', 'enabled', 'disabled']);
    assert.equal((await m1.inside('grep -c \'(echo ">>>"; cat -;\' /etc/ha.d/shellfuncs')).output, '0\n');
    await m1.ok('a2query -q -s plone && a2query -q -m proxy_balancer');
    assert.equal((await m1.inside("systemctl list-units --no-legend 'syncpozo-*'")).output.trim(), '');
    assert.match(await m1.ok(`${INSTALL} --host m1`), /^nothing to do: all \d+ files of m1 are as they should be$/m);
    await m2.ok(`${INSTALL} --host m2`);
  });

  scene('writes files that their own programs accept', async () => {
    await m1.ok('mkdir /root/lint');
    for (const manager of ['heartbeat', 'keepalived', 'pacemaker'] as const) {
      const folder = `/root/lint/${manager}`;
      await m1.put(`${folder}.yml`, configuration({ manager }));
      const options = `--config ${folder}.yml --root ${folder} --mount ${manager === 'heartbeat' ? 'nfs' : 'sshfs'} --cron`;
      await m1.ok(`mkdir -p ${folder}/etc; ${INSTALL} --host m1 ${options}; chown root: ${folder}/etc/logrotate.d/*`);
    }
    // A crontab of a user has no field for the user.
    await m1.ok(
      "sed 's/^\\(\\* \\* \\* \\* \\*\\) zope/\\1/' /root/lint/heartbeat/etc/cron.d/syncpozo >/root/lint/heartbeat/crontab",
    );
    const wrong: string[] = [];
    for (const [what, command, output = /(?:)/] of LINTS) {
      const found = await m1.inside(`cd /root/lint && ${command}`);
      if (found.status !== 0 || !output.test(found.output)) wrong.push(`${what} (${found.status}): ${found.output}`);
    }
    assert.deepEqual(wrong, []);
    const control = await m1.inside(
      'cd /root/lint; echo bad { >>keepalived/etc/keepalived/keepalived.conf; keepalived -t -f keepalived/etc/keepalived/keepalived.conf',
    );
    assert.notEqual(control.status, 0);
  });

  const reads = async (): Promise<string> =>
    (await m1.inside(`timeout 10 cat ${PEER}/var/seen`, { user: 'zope' })).output;
  const becomes = async (what: string, expected: RegExp, seconds: number): Promise<void> => {
    const began = Date.now();
    let found = '';
    for (; Date.now() - began < seconds * 1000; await sleep(250)) {
      found = await reads();
      if (expected.test(found)) {
        process.stdout.write(`${what}: ${((Date.now() - began) / 1000).toFixed(1)} s\n`);
        return;
      }
    }
    assert.fail(`${what}: ${expected} never came, but ${found}`);
  };

  scene("shows the other host's data to ZEO's user, read-only, and lets nothing else through", async () => {
    await exchangeKeys(m1, m2);
    for (const host of [m1, m2])
      await host.put('/srv/zeo/var/seen', `of ${host.name}\n`, { owner: 'zope', mode: '600' });
    assert.match(await reads(), /No such file/);
    await Promise.all([m1, m2].map((host) => host.ok('systemctl start syncpozo-peer')));
    await becomes('the mount', /^of m2$/m, 30);
    assert.match((await m1.inside(`touch ${PEER}/var/written`)).output, /Read-only file system/);
    const ssh = '-i /etc/syncpozo/ssh/id_ed25519 -o IdentitiesOnly=yes -o BatchMode=yes';
    assert.doesNotMatch((await m1.inside(`timeout 5 ssh ${ssh} zope@${m2.address} id`)).output, /uid=/);
    const put = `echo 'put /etc/hostname /srv/zeo/var/put' | timeout 5 sftp -b - ${ssh} zope@${m2.address}`;
    assert.match((await m1.inside(put)).output, /Permission denied/);
    assert.equal(await m2.ok('ls /srv/zeo/var'), 'seen');
  });

  scene('heals by itself after a power cut of the other host, of both, and of sshfs', async () => {
    await m2.power();
    await becomes('an error in the place of data', /Input\/output error|Transport endpoint/, 30);
    await m2.boot();
    await becomes('the mount after a boot of the other host', /^of m2$/m, 60);
    await m1.ok('pkill -KILL -x sshfs');
    await becomes('the mount after sshfs was killed', /^of m2$/m, 30);
    await Promise.all([m1.power(), m2.power()]);
    const booted = m1.boot();
    await booted;
    assert.match(await reads(), /No such file|Input\/output error|Transport endpoint/);
    await m2.boot();
    await becomes('the mount after a boot without the other host', /^of m2$/m, 60);
  });
});
