import assert from 'node:assert/strict';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { Installing, OTHER_CLUSTER } from '../support/installing.js';
import { run, scratch, scripts } from './shell.js';
import { missing } from './units.js';

const [ALPHA, BETA] = ['alpha.example.net', 'beta.example.net'];

/** What is in the samples and in no configuration of these tests; 192.168.1.12 is the other host's there. */
const SAMPLES =
  /(?<![\w.-])(m1|m2|eth0|eth1|192\.168\.1\.1[01]?|10\.0\.0\.\d+|\/srv\/zeo|\/mnt\/peer|8100|9177|zope zope|(User|Group)=zope)(?![\w-])/;

test('every value of the configuration takes the place of its sample, and no sample value is left', async (t) => {
  for (const [manager, mount] of [
    ['heartbeat', 'sshfs'],
    ['keepalived', 'nfs'],
    ['pacemaker', 'none'],
  ] as const) {
    const installing = new Installing(
      scratch(t),
      OTHER_CLUSTER.replace('deadtime:', `manager: ${manager}\n  deadtime:`),
    );
    const done = await installing.run(BETA, '--mount', mount, '--cron');
    assert.equal(done.status, 0, done.stderr);
    const scriptsOfCluster = /^\/usr\/local\/(lib|sbin)\/|^\/etc\/syncpozo(\.yml|\/)/;
    for (const [path, text] of installing.files()) {
      if (scriptsOfCluster.test(path)) continue;
      for (const line of text.split('\n')) {
        // The clients' own addresses and the names of the site are for a person.
        const rest = line.replace(/^#.*/, '');
        assert.doesNotMatch(rest, SAMPLES, `${manager} ${mount} ${path}: ${line}`);
        if (!path.includes('apache'))
          assert.doesNotMatch(line, /(?<![\w.])(m1|m2|192\.168\.1\.11)(?![\w.])/, `${path}: ${line}`);
      }
    }
  }
});

test('heartbeat: both hosts have the same files, but for what each sees of the other one', async (t) => {
  const [alpha, beta] = [new Installing(scratch(t)), new Installing(scratch(t))];
  assert.equal((await alpha.run(ALPHA)).status, 0);
  assert.equal((await beta.run(BETA)).status, 0);
  assert.deepEqual(alpha.settings('/etc/ha.d/ha.cf'), [
    'logfacility daemon',
    'keepalive 800ms',
    'warntime 3200ms',
    'deadtime 8',
    'initdead 16',
    'udpport 694',
    'ucast bond0 192.168.1.12',
    'ucast bond0 192.168.1.112',
    'ucast ens5 172.16.5.1',
    'ucast ens5 172.16.5.2',
    `node ${ALPHA}`,
    `node ${BETA}`,
    'auto_failback off',
    'crm off',
    'realtime off',
  ]);
  assert.deepEqual(alpha.settings('/etc/ha.d/haresources'), [`${ALPHA} zeo IPaddr2::192.168.1.110/23/bond0`]);
  assert.equal(readlinkSync(join(alpha.root, '/etc/ha.d/resource.d/zeo')), '/usr/local/lib/syncpozo/zeo');
  assert.deepEqual(alpha.settings('/etc/hosts'), [`192.168.1.12 ${ALPHA}`, `192.168.1.112 ${BETA}`]);

  const watch = alpha.settings('/etc/systemd/system/syncpozo-watch.service');
  const directories = '/opt/db/site/data /opt/db/site/files /opt/db/site/more';
  for (const line of [
    'User=plone_db',
    'Group=plone_db',
    `RequiresMountsFor=${directories}`,
    `ReadWritePaths=${directories}`,
  ])
    assert.ok(watch.includes(line), line);
  assert.ok(alpha.settings('/etc/logrotate.d/syncpozo').includes('create 0644 plone_db plone_db'));
  const sshfs = (installing: Installing): string | undefined =>
    installing.settings('/etc/systemd/system/syncpozo-peer.service').find((line) => line.startsWith('ExecStart='));
  const start = (address: string): string =>
    `ExecStart=/usr/bin/sshfs -f plone_db@${address}:/opt/db/site /media/far-side/site \\`;
  assert.deepEqual([sshfs(alpha), sshfs(beta)], [start('192.168.1.112'), start('192.168.1.12')]);
  assert.ok(statSync(join(alpha.root, '/media/far-side/site')).isDirectory());

  const ofOneHost = ['/etc/systemd/system/syncpozo-peer.service', '/etc/ha.d/authkeys', '/etc/syncpozo/ssh/'];
  const same = (installing: Installing): readonly string[] =>
    [...installing.files()]
      .filter(([path]) => ![...ofOneHost, '/var/lib/syncpozo/installed'].some((each) => path.startsWith(each)))
      .flat();
  assert.deepEqual(same(alpha), same(beta));
  assert.ok(same(alpha).length > 20);
});

test('data in the home of a user are not hidden from the watch', async (t) => {
  const service = '/etc/systemd/system/syncpozo-watch.service';
  for (const [text, value] of [
    [OTHER_CLUSTER, 'yes'],
    [OTHER_CLUSTER.replaceAll('/opt/db', '/home/plone'), 'read-only'],
  ] as const) {
    const installing = new Installing(scratch(t), text);
    assert.equal((await installing.run(ALPHA)).status, 0);
    assert.ok(installing.settings(service).includes(`ProtectHome=${value}`), value);
  }
});

test('the watch may write its text file, wherever that is', async (t) => {
  const service = '/etc/systemd/system/syncpozo-watch.service';
  for (const [textfile, directory] of [
    ['', '/var/lib/prometheus/node-exporter'],
    [', textfile: /var/lib/figures/syncpozo.prom', '/var/lib/figures'],
  ] as const) {
    const installing = new Installing(scratch(t), OTHER_CLUSTER.replace(':9188', `:9188${textfile}`));
    const done = await installing.run(ALPHA);
    assert.equal(done.status, 0, done.stderr);
    const written = installing.settings(service).filter((line) => line.startsWith('ReadWritePaths=-'));
    assert.deepEqual(written, [`ReadWritePaths=-${directory}`]);
  }
});

test('a file that gets lines of ours keeps its mode and its owner', {
  skip: process.getuid?.() === 0 ? false : 'it needs root',
}, async (t) => {
  const installing = new Installing(scratch(t));
  const hosts = join(installing.root, 'etc/hosts');
  mkdirSync(dirname(hosts));
  writeFileSync(hosts, '127.0.0.1 localhost\n');
  chmodSync(hosts, 0o640);
  chownSync(hosts, 12, 13);
  const done = await installing.run(ALPHA);
  assert.equal(done.status, 0, done.stderr);
  assert.match(done.stdout, /^lines {4}\/etc\/hosts \(\w+, 640\)$/m);
  const { mode, uid, gid } = statSync(hosts);
  assert.deepEqual([(mode & 0o7777).toString(8), uid, gid], ['640', 12, 13]);
  assert.match(
    installing.read('/etc/hosts'),
    /^127\.0\.0\.1 localhost\n# These lines are written by .*\n(.*\n)*.* alpha\.example\.net/,
  );
  assert.match((await installing.run(ALPHA)).stdout, /^nothing to do/m);
});

test('without a router it warns of a second server, but with Pacemaker, which fences', async (t) => {
  for (const [change, expected] of [
    ['deadtime: 8s', true],
    ['ping: 192.168.1.250\n  deadtime: 8s', false],
    ['manager: pacemaker\n  deadtime: 8s', false],
  ] as const) {
    const installing = new Installing(scratch(t), OTHER_CLUSTER.replace('deadtime: 8s', change));
    const done = await installing.run(ALPHA);
    assert.equal(done.status, 0, done.stderr);
    assert.equal(
      /^- cluster\.ping is not set in .*: a host whose cable is pulled/m.test(done.stdout),
      expected,
      change,
    );
  }
});

test('one cable: every address of ha.cf once', async (t) => {
  const text = OTHER_CLUSTER.replace(/, heartbeat: [\d.]+/g, '').replace(/ {2}heartbeat-interface.*\n/, '');
  const installing = new Installing(scratch(t), text);
  assert.equal((await installing.run(ALPHA)).status, 0);
  const lines = installing.settings('/etc/ha.d/ha.cf').filter((line) => line.startsWith('ucast'));
  assert.deepEqual(lines, ['ucast bond0 192.168.1.12', 'ucast bond0 192.168.1.112']);
});

test('keepalived: its own lines of each host, and the deadtime', async (t) => {
  const installing = new Installing(scratch(t), OTHER_CLUSTER.replace('deadtime:', 'manager: keepalived\n  deadtime:'));
  assert.equal((await installing.run(ALPHA)).status, 0);
  const lines = installing.settings('/etc/keepalived/keepalived.conf');
  for (const line of [
    '@alpha unicast_src_ip 192.168.1.12',
    '@beta unicast_src_ip 192.168.1.112',
    'interface bond0',
    'advert_int 2',
  ])
    assert.ok(lines.includes(line), line);
  assert.ok(!existsSync(join(installing.root, '/etc/ha.d/ha.cf')));
});

test('NFS: one export for both, one line of fstab below the others, and no limit to the tries', async (t) => {
  const installing = new Installing(scratch(t));
  mkdirSync(join(installing.root, 'etc'));
  const own = '# my own\nUUID=1 / ext4 defaults 0 1\n';
  writeFileSync(join(installing.root, 'etc/fstab'), own, { mode: 0o644 });
  assert.equal((await installing.run(BETA, '--mount', 'nfs')).status, 0);
  const options = '(ro,sync,root_squash,crossmnt,no_subtree_check)';
  assert.deepEqual(installing.settings('/etc/exports.d/syncpozo.exports'), [
    `/opt/db/site 192.168.1.12${options} 192.168.1.112${options}`,
  ]);
  assert.ok(installing.read('/etc/fstab').startsWith(own));
  const [, mount] = installing.settings('/etc/fstab');
  assert.match(
    mount ?? '',
    /^192\.168\.1\.12:\/opt\/db\/site \/media\/far-side\/site nfs4 ro,.*x-systemd\.automount.* 0 0$/,
  );
  const unit = '/etc/systemd/system/media-far\\x2dside-site.mount.d/syncpozo.conf';
  assert.deepEqual(installing.settings(unit), ['[Unit]', 'StartLimitIntervalSec=0']);
  assert.ok(!existsSync(join(installing.root, '/etc/systemd/system/syncpozo-peer.service')));
  appendFileSync(join(installing.root, 'etc/fstab'), 'tmpfs /more tmpfs defaults 0 0\n');
  installing.write(OTHER_CLUSTER.replace('192.168.1.12,', '192.168.1.13,'));
  assert.equal((await installing.run(BETA, '--mount', 'nfs')).status, 0);
  const lines = installing.settings('/etc/fstab');
  assert.deepEqual(
    lines.map((line) => line.split(' ')[0]),
    ['UUID=1', 'tmpfs', '192.168.1.13:/opt/db/site'],
  );
});

test('a second run changes nothing, and says so; --dry-run changes nothing at all', async (t) => {
  const installing = new Installing(scratch(t));
  const dry = await installing.run(ALPHA, '--dry-run');
  assert.deepEqual([dry.status, dry.stderr], [0, '']);
  assert.match(dry.stdout, /^new {6}\/etc\/ha\.d\/ha\.cf \(root, 644\)$/m);
  assert.match(dry.stdout, /^run {6}systemctl enable --quiet syncpozo-guard\.service$/m);
  assert.match(dry.stdout, /^dry run: nothing was changed; /m);
  assert.deepEqual([...installing.files()], []);
  assert.equal((await installing.run(ALPHA)).status, 0);
  const before = [...installing.files()];
  const again = await installing.run(ALPHA);
  assert.match(again.stdout, /^nothing to do: all \d+ files of alpha\.example\.net are as they should be$/m);
  assert.doesNotMatch(again.stdout, /^(new|replace|mode|lines|dir|link) /m);
  assert.deepEqual([...installing.files()], before);

  installing.write(OTHER_CLUSTER.replace('8s', '4s'));
  const shown = await installing.run(ALPHA, '--dry-run');
  const lines = shown.stdout.split('\n').map((line) => line.trim());
  for (const line of ['replace  /etc/ha.d/ha.cf (root, 644)', '-deadtime 8', '+deadtime 4'])
    assert.ok(lines.includes(line), line);
  assert.deepEqual([...installing.files()], before);
  assert.equal((await installing.run(ALPHA)).status, 0);
  assert.ok(installing.settings('/etc/ha.d/ha.cf').includes('deadtime 4'));
});

test("an operator's file is never lost", async (t) => {
  const installing = new Installing(scratch(t));
  const [cf, apache] = ['etc/ha.d/ha.cf', 'etc/apache2/sites-available/plone.conf'];
  mkdirSync(join(installing.root, 'etc/ha.d'), { recursive: true });
  writeFileSync(join(installing.root, cf), 'deadtime 77\n');
  const refused = await installing.run(ALPHA);
  assert.equal(refused.status, 3);
  assert.match(refused.stderr, /^ {2}\/etc\/ha\.d\/ha\.cf$/m);
  assert.match(refused.stderr, /^install\.sh: nothing was changed\nhint: .*--force/m);
  assert.deepEqual([...installing.files().keys()], [`/${cf}`]);

  const forced = await installing.run(ALPHA, '--force');
  assert.equal(forced.status, 0, forced.stderr);
  assert.match(forced.stdout, /the file that was there: \/etc\/ha\.d\/ha\.cf\.dpkg-old/);
  assert.equal(installing.read(`${cf}.dpkg-old`), 'deadtime 77\n');

  // A file that is the operator's from the beginning on stays as he leaves it.
  appendFileSync(join(installing.root, apache), '# mine\n');
  const mine = installing.read(apache);
  assert.match((await installing.run(ALPHA)).stdout, /^nothing to do/m);
  installing.write(OTHER_CLUSTER.replace('192.168.1.112', '192.168.1.113'));
  const offered = await installing.run(ALPHA);
  assert.equal(offered.status, 0, offered.stderr);
  assert.equal(installing.read(apache), mine);
  assert.ok(installing.read(`${apache}.dpkg-dist`).includes('192.168.1.113'));
  assert.match(offered.stdout, /^- compare \/etc\/apache2\/sites-available\/plone\.conf, which is yours/m);
  assert.match((await installing.run(ALPHA)).stdout, /^nothing to do/m);
});

test('--force twice keeps both files; one at the place of the link counts as well', async (t) => {
  const installing = new Installing(scratch(t));
  const [cf, link] = ['etc/ha.d/ha.cf', 'etc/ha.d/resource.d/zeo'].map((path) => join(installing.root, path));
  assert.ok(cf !== undefined && link !== undefined);
  mkdirSync(dirname(link), { recursive: true });
  writeFileSync(link, 'of the how-to\n');
  const refused = await installing.run(ALPHA);
  assert.equal(refused.status, 3);
  assert.match(refused.stderr, /^ {2}\/etc\/ha\.d\/resource\.d\/zeo$/m);
  assert.equal(installing.files().size, 1);
  assert.equal((await installing.run(ALPHA, '--dry-run')).status, 0);
  for (const text of ['first\n', 'second\n']) {
    writeFileSync(cf, text);
    assert.equal((await installing.run(ALPHA, '--force')).status, 0);
  }
  assert.equal(readFileSync(`${cf}.dpkg-old`, 'utf8'), 'first\n');
  assert.equal(readFileSync(`${cf}.1.dpkg-old`, 'utf8'), 'second\n');
  assert.equal(readFileSync(`${link}.dpkg-old`, 'utf8'), 'of the how-to\n');
  assert.equal(readlinkSync(link), '/usr/local/lib/syncpozo/zeo');
});

test('what is no file, and lines without their end, are refused before anything is changed', async (t) => {
  const installing = new Installing(scratch(t));
  const hosts = join(installing.root, 'etc/hosts');
  mkdirSync(dirname(hosts));
  const text = '# These lines are written by install.sh of syncpozo\n10.1.1.1 mine\n';
  writeFileSync(hosts, text);
  const lines = await installing.run(ALPHA);
  assert.equal(lines.status, 3);
  assert.match(lines.stderr, /\/etc\/hosts has the line .*, and after it no line .*; nothing was changed\nhint: /);
  assert.deepEqual([...installing.files()], [['/etc/hosts', text]]);
  writeFileSync(hosts, '127.0.0.1 localhost\n');
  mkdirSync(join(installing.root, 'etc/ha.d/ha.cf'), { recursive: true });
  const directory = await installing.run(ALPHA, '--force');
  assert.equal(directory.status, 3);
  assert.match(directory.stderr, /^install\.sh: \/etc\/ha\.d\/ha\.cf is there, and no file: .*\nhint: move it away\n$/);
  assert.equal(installing.files().size, 1);
});

test('keys: heartbeat has one, made on the first host; each host has its own for reading', async (t) => {
  const [alpha, beta] = [new Installing(scratch(t)), new Installing(scratch(t))];
  const first = await alpha.run(ALPHA);
  assert.match(first.stdout, /scp -p \/etc\/ha\.d\/authkeys beta\.example\.net:\/etc\/ha\.d\/authkeys/);
  assert.match(alpha.read('/etc/ha.d/authkeys'), /^auth 1\n1 sha1 [0-9a-f]{64}\n$/);
  const mode = (path: string): string => (statSync(join(alpha.root, path)).mode & 0o777).toString(8);
  assert.deepEqual(
    [mode('/etc/ha.d/authkeys'), mode('/etc/syncpozo/ssh/id_ed25519'), mode('/etc/syncpozo/ssh')],
    ['600', '600', '700'],
  );
  const second = await beta.run(BETA);
  assert.match(second.stdout, /scp -p alpha\.example\.net:\/etc\/ha\.d\/authkeys \/etc\/ha\.d\/authkeys/);
  assert.ok(!existsSync(join(beta.root, '/etc/ha.d/authkeys')));
  const key = beta.read('/etc/syncpozo/ssh/id_ed25519.pub').trim();
  const line = `restrict,from="192.168.1.112",command="internal-sftp -R" ${key}`;
  assert.ok(second.stdout.includes(`echo '${line}' >>~plone_db/.ssh/authorized_keys`), second.stdout);
  const again = await alpha.run(ALPHA);
  assert.ok(again.stdout.includes(alpha.read('/etc/syncpozo/ssh/id_ed25519.pub').trim()));
});

test("heartbeat's messages are written in one piece, once corrected", { skip: missing('strace') }, async (t) => {
  const installing = new Installing(scratch(t));
  const path = join(installing.root, 'etc/ha.d/shellfuncs');
  const [before, after] = ['# above\nha_clustermsg() {\n', '}\n# below\n'];
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${before}\t(echo ">>>"; cat -; echo "<<<")\t| cat - >> $HA_FIFO\n${after}`, { mode: 0o644 });
  assert.match((await installing.run(ALPHA)).stdout, /^correct {2}\/etc\/ha\.d\/shellfuncs \(root, 644\)$/m);
  const text = installing.read('/etc/ha.d/shellfuncs');
  assert.ok(text.startsWith(before) && text.endsWith(after), text);
  const pipe = join(installing.directory, 'written');
  const message = 't=x\nname=it is "100%" \\n $HOME';
  const script = `HA_FIFO='${pipe}'; . '${path}'; printf '%s\\n' "$1" | strace -f -qq -o '${pipe}.calls' -e trace=write sh -c ". '${path}'; HA_FIFO='${pipe}'; ha_clustermsg"`;
  const { status, stderr } = await run('sh', ['-c', script, 'sh', message]);
  assert.equal(status, 0, stderr);
  assert.equal(readFileSync(pipe, 'utf8'), `>>>\n${message}\n<<<\n`);
  assert.equal(readFileSync(`${pipe}.calls`, 'utf8').match(/write\(\d+, ">>>/g)?.length, 1);
  assert.doesNotMatch((await installing.run(ALPHA)).stdout, /^correct/m);
});

test('what does not fit is refused before anything is changed', async (t) => {
  const installing = new Installing(scratch(t));
  const refused = async (status: number, message: RegExp, host: string, ...options: string[]): Promise<void> => {
    const done = await installing.run(host, ...options);
    assert.equal(done.status, status, done.stderr);
    assert.match(done.stderr, message);
    assert.deepEqual([...installing.files()], []);
  };
  await refused(2, /expected gamma, this host's name/, 'gamma');
  await refused(
    3,
    /--manager is keepalived, and cluster\.manager in .* is heartbeat\nhint: /,
    ALPHA,
    '--manager',
    'keepalived',
  );
  await refused(2, /unknown: --frobnicate\nusage: /, ALPHA, '--frobnicate');
  await refused(2, /--mount smb/, ALPHA, '--mount', 'smb');
  await refused(2, /--root needs a value/, ALPHA, '--root');
  installing.write(OTHER_CLUSTER.replace('8s', '8'));
  await refused(2, /:13: cluster\.deadtime: found the number 8, expected a duration/, ALPHA);
  installing.write(OTHER_CLUSTER.replace('/opt/db/site/data', '"/opt/db/my site/data"'));
  await refused(3, /cannot write .*my site.* into the files of other programs\nhint: /s, ALPHA);
  installing.write(OTHER_CLUSTER.replace('/media/far-side/site/files', '/media/elsewhere/files'));
  await refused(3, /one mount cannot have them all\nhint: mount them yourself, and say --mount none/, ALPHA);
  assert.equal((await installing.run(ALPHA, '--mount', 'none')).status, 0);
  assert.ok(!existsSync(join(installing.root, '/etc/systemd/system/syncpozo-peer.service')));
});

test('without --root it runs on the host that it is for, and only shows it elsewhere', async (t) => {
  const { configuration, directory } = new Installing(scratch(t));
  const env = { ...process.env, SYNCPOZO: join(directory, 'syncpozo') };
  const args = ['--host', ALPHA, '--config', configuration];
  const elsewhere = await run(join(scripts, 'install.sh'), args, { env });
  assert.equal(elsewhere.status, 3);
  assert.match(
    elsewhere.stderr,
    /^install\.sh: (this host is .*, not alpha\.example\.net|it writes files of root)\nhint: /,
  );
  const shown = await run(join(scripts, 'install.sh'), [...args, '--dry-run'], { env });
  assert.deepEqual([shown.status, shown.stderr], [0, '']);
  assert.match(shown.stdout, new RegExp(`^note {5}this is ${hostname()}: `, 'm'));
  assert.ok(!existsSync('/etc/syncpozo/ssh/id_ed25519'));
});

/** Files of `scripts` that a person installs, or nobody. */
const BY_HAND =
  /^(README\.md|syncpozo\.yml|install\.sh|install\/.*|lost-content\.py|grafana\/.*|prometheus\/.*|haproxy\/.*|varnish\/.*|supervisor\/.*|sshfs\/authorized_keys|heartbeat\/authkeys|systemd\/(zope|syncpozo-sync)\.(service|timer))$/;

test('the manifest names every file that is not installed by hand, and files that exist', async () => {
  const lines = readFileSync(join(scripts, 'install/manifest'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(/\s+/));
  const sources = lines
    .filter(([, kind = '']) => ['copy', 'fill', 'start', 'block'].includes(kind))
    .map((line) => line[3]);
  const { stdout } = await run('find', [scripts, '-type', 'f', '-printf', '%P\\n']);
  for (const file of stdout
    .trim()
    .split('\n')
    .filter((each) => !BY_HAND.test(each)))
    assert.ok(sources.includes(file) || sources.includes(`${dirname(file)}/*`), file);
  for (const source of sources.filter((each) => each !== '@configuration' && !each?.endsWith('*')))
    assert.ok(existsSync(join(scripts, source ?? '')), source);
  const modules = lines.find(([, kind]) => kind === 'module')?.slice(3);
  const sample = readFileSync(join(scripts, 'apache/balancer.conf'), 'utf8');
  assert.deepEqual(/a2enmod (.*)/.exec(sample)?.[1]?.split(' '), modules);
});
