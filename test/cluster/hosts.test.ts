import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { inProject } from '../support/root.js';
import type { Host } from './support/host.js';
import { reasonToSkip, VENV_IN_HOSTS } from './support/image.js';
import { withJournals } from './support/journals.js';
import { Network } from './support/network.js';

/** The test hosts themselves: what the scenes of the cluster take for granted. */
const WITNESS = `[Unit]
After=network-online.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=sh -c 'date +%%s.%%N >>/var/lib/started'
ExecStop=sh -c 'date +%%s.%%N >>/var/lib/stopped'
[Install]
WantedBy=multi-user.target
`;

const SSHFS =
  'ro,allow_other,reconnect,ConnectTimeout=2,ServerAliveInterval=1,ServerAliveCountMax=2,dir_cache=no,attr_timeout=0';

const skip = reasonToSkip();

describe('the test hosts', { skip }, () => {
  let network: Network;
  let other: Network;
  let m1: Host;
  let m2: Host;
  let namesake: Host;

  const scene = (title: string, run: () => Promise<void>): Promise<void> =>
    it(title, () => withJournals(title, network, run));

  before(async () => {
    [network, other] = await Promise.all([Network.start(), Network.start()]);
    [m1, m2, namesake] = [network.host('m1', 1), network.host('m2', 2), other.host('m1', 1)];
    await m1.put('/etc/systemd/system/witness.service', WITNESS);
    assert.equal((await m1.offline('systemctl enable witness')).status, 0);
    await namesake.put('/etc/which', 'the other\n');
    const took = await Promise.all([m1.boot(), m2.boot(), namesake.boot()]);
    process.stdout.write(`three hosts booted side by side: ${took.map((ms) => `${ms} ms`).join(', ')}\n`);
    const memory = await m1.ok("cat /proc/[0-9]*/smaps_rollup | awk '/^Pss:/ {sum += $2} END {print int(sum / 1024)}'");
    process.stdout.write(`memory of a host's processes: ${memory} MB\n`);
  });

  after(async () => {
    await Promise.all([network?.end(), other?.end()]);
  });

  // A bridge forwards again up to a second after a cable is back; this machine may be busy.
  const ping = (address: string, seconds: number): string => `ping -n -c 1 -i 0.2 -w ${seconds} ${address} >/dev/null`;
  const sees = async (from: Host, address: string): Promise<boolean> =>
    (await from.inside(ping(address, 10))).status === 0;
  const isBlind = async (from: Host, address: string): Promise<boolean> =>
    (await from.inside(ping(address, 1))).status === 1;
  const routerSees = (host: Host): string => network.run(ping(host.address, 10));
  const count = async (host: Host, path: string): Promise<number> =>
    (await host.inside(`cat ${path} 2>/dev/null`)).output.split('\n').length - 1;

  scene('are Debian under a systemd of their own: units that are enabled start at the boot, no other', async () => {
    assert.equal(await m1.ok('hostname; cat /proc/1/comm; systemctl is-active witness'), 'm1\nsystemd\nactive');
    assert.equal(await m1.ok('systemctl --failed --no-legend'), '');
    const { output } = await m1.inside('systemctl is-active ssh apache2 cron heartbeat keepalived pacemaker corosync');
    assert.equal(output.trim(), 'active\nactive\nactive\ninactive\ninactive\ninactive\ninactive');
    assert.ok(!existsSync('/var/lib/started'), 'this machine was written');
  });

  scene('have the product and a ZEO that the user zope can run', async () => {
    assert.match(await m1.ok('syncpozo --version', { user: 'zope' }), /^\d+\.\d+\.\d+/);
    await m1.ok(`${VENV_IN_HOSTS}/bin/python -c 'import ZEO, ZODB, zdaemon, waitress'`, { user: 'zope' });
  });

  scene('report what a command prints and how it ends, and end one that takes too long', async () => {
    assert.deepEqual(await m1.inside('echo out; echo err >&2; exit 7'), { status: 7, output: 'out\nerr\n' });
    assert.equal((await m1.inside('sleep 30', { timeoutMs: 500 })).status, 124);
  });

  scene('of two networks do not meet, although their addresses are equal', async () => {
    const ask = 'ssh 192.168.1.11 "cat /etc/which 2>&1; hostname"';
    assert.match(await m2.ok(ask), /No such file.*\nm1$/);
    assert.equal(await namesake.ok(ask), 'the other\nm1');
    assert.ok(await isBlind(namesake, m2.address));
  });

  scene('see each other and the router on both links, and not through one that is cut', async () => {
    assert.ok((await sees(m1, m2.address)) && (await sees(m1, m2.heartbeatAddress)) && (await sees(m1, 'router')));
    m2.cut('eth0');
    assert.ok(await isBlind(m1, m2.address));
    assert.throws(() => network.run(ping(m2.address, 1)));
    assert.ok(await sees(m1, m2.heartbeatAddress));
    m2.heal();
    assert.ok(await sees(m1, m2.address));
    routerSees(m2);
  });

  scene('in a partition see the router, and not each other', async () => {
    network.partition();
    assert.ok((await isBlind(m1, m2.address)) && (await isBlind(m2, m1.heartbeatAddress)));
    assert.ok((await sees(m1, 'router')) && (await sees(m2, 'router')));
    for (const host of [m1, m2]) routerSees(host);
    network.unite();
    assert.ok((await sees(m1, m2.address)) && (await sees(m2, m1.heartbeatAddress)));
  });

  scene('read each other through sshfs; a cut gives errors within seconds, and a heal heals', async () => {
    await m2.put('/srv/zeo/seen', 'by zope\n', { owner: 'zope', mode: '600' });
    await m1.ok(`mkdir -p /mnt/peer/zeo && sshfs root@${m2.address}:/srv/zeo /mnt/peer/zeo -o ${SSHFS}`);
    assert.equal(await m1.ok('cat /mnt/peer/zeo/seen', { user: 'zope' }), 'by zope');
    m2.cut();
    for (let read = 0; read < 2; read++)
      assert.match((await m1.inside('cat /mnt/peer/zeo/seen', { timeoutMs: 20_000 })).output, /Input\/output error/);
    m2.heal();
    let back = await m1.inside('cat /mnt/peer/zeo/seen');
    for (let tries = 0; tries < 30 && back.status !== 0; tries++) {
      await sleep(500);
      back = await m1.inside('cat /mnt/peer/zeo/seen');
    }
    assert.equal(back.output, 'by zope\n');
    await m1.ok('umount /mnt/peer/zeo');
  });

  scene('take a silent end in a power cut; killed alone, they take leave of their peers', async () => {
    const connections = (state: string): Promise<string> => m2.ok(`ss -Htn state ${state} dst ${m1.address}`);
    const eventually = async (state: string): Promise<void> => {
      for (let tries = 0; tries < 40 && (await connections(state)) === ''; tries++) await sleep(250);
      assert.notEqual(await connections(state), '', `no connection is ${state}`);
    };
    const connect = async (): Promise<void> => {
      await m2.ok(`${ping(m1.address, 10)}; bash -c 'exec 3<>/dev/tcp/${m1.address}/22; sleep 60' >/dev/null 2>&1 &`);
      await eventually('established');
    };
    await connect();
    await m1.power();
    await sleep(1000);
    assert.notEqual(await connections('established'), '', 'm2 got a last packet');
    await m1.boot();
    await m2.ok('pkill sleep');
    await connect();
    await m1.kill();
    // Control: here m2 does get a last packet.
    await eventually('close-wait');
    await m1.boot();
  });

  scene('keep their files through a power cut, and no unit of them was stopped; a shutdown stops units', async () => {
    const started = await count(m1, '/var/lib/started');
    assert.equal(await count(m1, '/var/lib/stopped'), 0);
    const bootId = await m1.read('/proc/sys/kernel/random/boot_id');
    await m1.put('/run/volatile', 'gone');
    await m1.ok('echo written >/srv/zeo/kept');
    await m1.power();
    assert.equal(await m1.read('/srv/zeo/kept'), 'written\n');
    network.partition();
    await m1.boot();
    assert.ok(await isBlind(m1, m2.address), 'a partition ends when a host boots');
    network.unite();
    assert.equal(await m1.read('/srv/zeo/kept'), 'written\n');
    assert.notEqual(await m1.read('/proc/sys/kernel/random/boot_id'), bootId);
    assert.equal((await m1.inside('cat /run/volatile')).status, 1);
    assert.deepEqual([await count(m1, '/var/lib/started'), await count(m1, '/var/lib/stopped')], [started + 1, 0]);
    await m1.shutdown();
    assert.ok(!m1.isUp);
    assert.match(await m1.journal(), /Reached target shutdown\.target/);
    assert.match(await m1.read('/var/lib/stopped'), /^[\d.]+\n$/);
  });

  it('end with the process of the tests, even if that is killed; the next one removes what they left', async () => {
    const killed = spawn(process.execPath, [inProject('dist', 'test', 'cluster', 'abandoned-main.js')]);
    const [line] = (await once(killed.stdout, 'data')) as [Buffer];
    const { dir, pids } = JSON.parse(String(line)) as { dir: string; pids: number[] };
    const remain = (): number[] => pids.filter((pid) => existsSync(`/proc/${pid}/ns/mnt`));
    assert.deepEqual(remain(), pids);
    const exited = once(killed, 'exit');
    killed.kill('SIGKILL');
    await exited;
    for (let tries = 0; tries < 200 && remain().length > 0; tries++) await sleep(50);
    assert.deepEqual(remain(), []);
    assert.ok(existsSync(dir));
    const groups = (): string[] =>
      readdirSync('/sys/fs/cgroup', { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith(`syncpozo-cluster-${pids[0]}-m1`))
        .map((name) => readFileSync(`/sys/fs/cgroup/${name}/cgroup.events`, 'utf8'));
    assert.equal(groups().length, 1);
    for (let tries = 0; tries < 200 && groups().some((events) => events.includes('populated 1')); tries++)
      await sleep(50);
    await (await Network.start()).end();
    assert.ok(!existsSync(dir));
    assert.deepEqual(groups(), []);
    assert.ok(!readFileSync('/proc/mounts', 'utf8').includes(dir));
  });
});
