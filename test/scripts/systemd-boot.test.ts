import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { inProject, projectRoot } from '../support/root.js';
import { Site } from '../support/site.js';
import { scripts, writeScript } from './shell.js';

/**
 * The units under a real systemd, which is process 1 of namespaces of its own: does the watch do all of its work under their
 * restrictions, is it heard, is it ended when it hangs, does a sync work.
 */
const CONFIGURATION = `storages:
  main: { master: /mnt/m1/zeo/var, slave: /srv/zeo/var }
watch:
  interval: 200ms
  listen: 127.0.0.1:9177
  textfile: /var/lib/prometheus/node-exporter/syncpozo.prom
hooks:
  rebuild: [/usr/local/bin/hook]
`;
const MASTER = '/mnt/m1/zeo/var/Data.fs';

/** Where this process is in the unified hierarchy of control groups; undefined: nowhere. */
function controlGroup(): string | undefined {
  const mount = /^\S+ (\S+) cgroup2 rw/m.exec(readFileSync('/proc/mounts', 'utf8'))?.[1];
  const own = /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1];
  return mount === undefined || own === undefined ? undefined : join(mount, own);
}

const GROUP = controlGroup();

function reasonToSkip(): string | false {
  if (process.getuid?.() !== 0) return 'not run: it needs root';
  const version = /^systemd (\d+)/.exec(spawnSync('systemctl', ['--version'], { encoding: 'utf8' }).stdout ?? '')?.[1];
  if (Number(version ?? 0) < 246) return 'not run: there is no systemd 246 here (Debian: apt-get install systemd)';
  const may = spawnSync('unshare', ['-m', '-p', '-C', '-i', '-u', '-n', '-f', 'true']).status === 0;
  if (!may || GROUP === undefined)
    return 'not run: it needs the right to make namespaces, and control groups of version 2';
  return false;
}

describe('the units under a real systemd', { skip: reasonToSkip() }, () => {
  const dir = mkdtempSync(join(tmpdir(), 'syncpozo-boot-'));
  const group = join(GROUP ?? '', `syncpozo-boot-${process.pid}`);
  let booted: ChildProcess;
  let output = '';

  /** Runs shell text inside, as root; returns its standard output. */
  function inside(text: string): string {
    const pid = readFileSync(`/proc/${booted.pid}/task/${booted.pid}/children`, 'utf8').trim();
    const enter = ['-t', pid, '-m', '-p', '-i', '-u', '-n', '-C', '-r', '-w', 'env', '-i'];
    const path = 'PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin';
    const done = spawnSync('nsenter', [...enter, path, 'sh', '-c', `exec 2>&1\n${text}`], {
      encoding: 'utf8',
      timeout: 60_000,
    });
    return done.stdout.trim();
  }

  function show(unit: string, property: string): string {
    return inside(`systemctl show --value -p ${property} ${unit}`);
  }

  async function eventually(what: string, holds: () => boolean): Promise<void> {
    for (let tries = 0; tries < 300; tries++) {
      if (holds()) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assert.fail(`never happened: ${what}\n${output}\n${inside('systemctl status syncpozo-watch; journalctl -n 30')}`);
  }

  before(async () => {
    const files = join(dir, 'files');
    const put = (path: string, text: string): void => {
      mkdirSync(dirname(join(files, path)), { recursive: true });
      writeFileSync(join(files, path), text);
    };
    put(
      'etc/systemd/system/tests.target',
      '[Unit]\nDescription=tests\nDefaultDependencies=no\nWants=systemd-journald.service\n',
    );
    for (const unit of readdirSync(join(scripts, 'systemd')))
      copyFileSync(join(scripts, 'systemd', unit), join(files, 'etc/systemd/system', unit));
    put(
      'etc/systemd/system/syncpozo-watch.service.d/test.conf',
      `[Service]
WatchdogSec=3s
ExecStart=
ExecStart=/usr/local/bin/syncpozo watch --config /etc/syncpozo.yml --log-format text --log-file /var/log/syncpozo/watch.log
`,
    );
    put('etc/syncpozo.yml', CONFIGURATION);
    mkdirSync(join(files, 'usr/local/bin'), { recursive: true });
    writeScript(join(files, 'usr/local/bin/syncpozo'), 'exec node /opt/project/dist/app/cli.cjs "$@"');
    writeScript(join(files, 'usr/local/bin/hook'), 'cat >/srv/zeo/var/hook.called');
    mkdirSync(join(files, 'var/lib/prometheus/node-exporter'), { recursive: true });
    mkdirSync(join(files, 'mnt/m1/zeo/var'), { recursive: true });
    mkdirSync(join(files, 'opt/later'), { recursive: true });
    const master = join(files, MASTER);
    const site = Site.create(master);
    const commit = (text: string): void => void site.commit(site.pages(new Map([[1, text]])));
    for (let page = 1; page <= 5; page++) commit(`page ${page}`);
    const first = readFileSync(master);
    for (const name of ['second', 'third']) {
      const before = readFileSync(master).length;
      commit(name);
      writeFileSync(join(files, 'opt/later', name), readFileSync(master).subarray(before));
    }
    site.pack();
    copyFileSync(master, join(files, 'opt/later/packed'));
    commit('behind the pack');
    copyFileSync(master, join(files, 'opt/later/last'));
    site.close();
    writeFileSync(master, first);
    mkdirSync(group);
    const boot = ['unshare', '-C', '-m', '-p', '-i', '-u', '-n', '--fork', '--kill-child', 'sh'];
    const args = [...boot, inProject('test', 'scripts', 'boot-systemd.sh'), dir, projectRoot, process.execPath];
    booted = spawn('sh', ['-c', `echo $$ >'${group}/cgroup.procs' && exec "$@"`, 'sh', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [booted.stdout, booted.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        output = (output + text).slice(-4000);
      });
    await eventually(
      'systemd is up',
      () => booted.exitCode !== null || /^(running|degraded)$/.test(inside('systemctl is-system-running')),
    );
    assert.equal(booted.exitCode, null, output);
    inside('chown zope /var/lib/prometheus/node-exporter');
  });

  after(async () => {
    booted.kill('SIGKILL');
    const remove = (path: string): void => {
      for (const entry of readdirSync(path, { withFileTypes: true }))
        if (entry.isDirectory()) remove(join(path, entry.name));
      rmdirSync(path);
    };
    for (let tries = 0; ; tries++) {
      try {
        remove(group);
        break;
      } catch (error) {
        // Its processes are ending.
        if (tries === 100) throw error;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
    rmSync(dir, { recursive: true, force: true });
  });

  it('the watch starts, is heard through systemd-notify, and its signs of life keep it running', async () => {
    assert.equal(inside('systemctl start syncpozo-watch.service'), '');
    assert.equal(show('syncpozo-watch', 'ActiveState'), 'active');
    const pid = show('syncpozo-watch', 'MainPID');
    await new Promise((resolve) => setTimeout(resolve, 5000));
    assert.deepEqual([show('syncpozo-watch', 'MainPID'), show('syncpozo-watch', 'NRestarts')], [pid, '0']);
    assert.equal(show('syncpozo-watch', 'StatusText'), 'main: in step');
    assert.match(inside(`cat /proc/${pid}/status`), /^CapBnd:\s+0+$/m);
  });

  it('it follows commits and a pack, serves and writes its figures, and runs hooks', async () => {
    const inStep = (): boolean => inside(`cmp ${MASTER} /srv/zeo/var/Data.fs && echo same`) === 'same';
    await eventually('the first copy', inStep);
    assert.equal(inside('stat -c %U /srv/zeo/var/Data.fs'), 'zope');
    inside(`cat /opt/later/second >>${MASTER}`);
    await eventually('the commit', inStep);
    inside(`cat /opt/later/third >>${MASTER}`);
    await eventually('the next one', inStep);
    const pack = `cp /opt/later/packed ${MASTER}.pack; ln -f ${MASTER} ${MASTER}.old; mv ${MASTER}.pack ${MASTER}`;
    assert.equal(inside(pack), '');
    await eventually('the rebuild', inStep);
    await eventually('the hook', () => inside('cat /srv/zeo/var/hook.called').includes('"name":"rebuild"'));
    const ask = (path: string): string =>
      inside(
        `node -e "fetch('http://127.0.0.1:9177${path}').then(async (got) => console.log(got.status, await got.text()))"`,
      );
    assert.match(ask('/readiness'), /^200 /);
    assert.match(ask('/metrics'), /^syncpozo_rounds_total\{.*action="rebuild"\} 1$/m);
    const textfile = '/var/lib/prometheus/node-exporter/syncpozo.prom';
    assert.match(inside(`cat ${textfile}`), /^syncpozo_build_info\{version=/m);
    assert.equal(inside(`stat -c '%U %a' ${textfile}`), 'zope 644');
    const log = inside('cat /var/log/syncpozo/watch.log');
    assert.doesNotMatch(log, / (ERROR|WARN) /);
  });

  it('a reload opens the log again', async () => {
    inside('cd /var/log/syncpozo && mv watch.log watch.log.1');
    assert.equal(inside('systemctl reload syncpozo-watch.service'), '');
    await eventually('the new log', () => inside('stat -c %U /var/log/syncpozo/watch.log') === 'zope');
    const begun = Date.now();
    assert.equal(inside('systemctl stop syncpozo-watch.service'), '');
    assert.ok(Date.now() - begun < 8000, 'it is not killed');
    assert.equal(show('syncpozo-watch', 'Result'), 'success');
    assert.match(inside('cat /var/log/syncpozo/watch.log'), /^\S+ INFO ended by a signal$/);
  });

  it('a watch that makes no rounds is ended and started again', async () => {
    assert.equal(inside('systemctl start syncpozo-watch.service'), '');
    inside(`kill -STOP ${show('syncpozo-watch', 'MainPID')}`);
    await eventually('the watchdog', () => show('syncpozo-watch', 'Result') === 'watchdog');
    await eventually(
      'the next start',
      () => show('syncpozo-watch', 'NRestarts') === '1' && show('syncpozo-watch', 'ActiveState') === 'active',
    );
    assert.equal(inside('systemctl stop syncpozo-watch.service'), '');
    assert.equal(show('syncpozo-watch', 'Result'), 'success');
  });

  it('a mistake in the configuration is not tried again', async () => {
    inside('cp -p /etc/syncpozo.yml /opt/good.yml; echo "watsh: {}" >>/etc/syncpozo.yml');
    inside('systemctl start syncpozo-watch.service');
    await new Promise((resolve) => setTimeout(resolve, 6000));
    assert.deepEqual([show('syncpozo-watch', 'ActiveState'), show('syncpozo-watch', 'NRestarts')], ['failed', '0']);
    assert.match(inside('journalctl -u syncpozo-watch.service'), /syncpozo\.yml:9: found the unknown key "watsh"/);
    inside('mv /opt/good.yml /etc/syncpozo.yml; systemctl reset-failed');
  });

  it('control: without NotifyAccess=all nothing is heard, and the start fails', () => {
    inside(`mkdir -p /run/systemd/system/syncpozo-watch.service.d
printf '[Service]\\nNotifyAccess=main\\nTimeoutStartSec=3\\nRestart=no\\n' >/run/systemd/system/syncpozo-watch.service.d/main.conf
systemctl daemon-reload`);
    assert.match(inside('systemctl start syncpozo-watch.service'), /timeout was exceeded/);
    inside(
      'rm -r /run/systemd/system/syncpozo-watch.service.d; systemctl stop syncpozo-watch; systemctl daemon-reload',
    );
  });

  it('a sync works under the restrictions, and notices a process of the same user that has the slave open', () => {
    inside(`rm /srv/zeo/var/*; cp /opt/later/last ${MASTER}`);
    assert.equal(inside('systemctl start syncpozo-sync.service'), '');
    assert.equal(inside('cmp /mnt/m1/zeo/var/Data.fs /srv/zeo/var/Data.fs; stat -c %U /srv/zeo/var/Data.fs'), 'zope');
    inside('rm /srv/zeo/var/Data.fs.lock');
    const open = 'setpriv --reuid=5555 --regid=5555 --clear-groups sh -c "exec sleep 60 >>/srv/zeo/var/Data.fs"';
    inside(`${open} & pid=$!; sleep 0.5; systemctl start syncpozo-sync.service; kill $pid`);
    assert.equal(show('syncpozo-sync', 'ExecMainStatus'), '5');
    assert.match(
      inside('journalctl -u syncpozo-sync.service'),
      /has \/srv\/zeo\/var\/Data\.fs open for writing, without its lock/,
    );
    assert.equal(inside('rm -f /srv/zeo/var/Data.fs.lock; systemctl start syncpozo-sync.service'), '');
  });

  it('the timer is accepted, and its next moment is within a minute', () => {
    assert.equal(inside('systemctl start syncpozo-sync.timer'), '');
    const next = Date.parse(
      inside('date -d "$(systemctl show --value -p NextElapseUSecRealtime syncpozo-sync.timer)" +%FT%TZ -u'),
    );
    assert.ok(next - Date.now() <= 60_000 && next - Date.now() > -5000, String(next));
    inside('systemctl stop syncpozo-sync.timer');
  });
});
