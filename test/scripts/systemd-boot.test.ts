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
 * The units under a real systemd, which is process 1 of namespaces of its own: does the watch start under its restrictions, is it
 * heard, is it ended when it hangs, does a sync work. The watch is a stand-in that uses the real notifier and the real log.
 */
const WATCH = `
  import { existsSync } from 'node:fs';
  import { pino } from '/opt/project/node_modules/pino/pino.js';
  import { openLog } from '/opt/project/dist/src/report/log.js';
  import { notifierOf } from '/opt/project/dist/src/watch/notify.js';
  if (existsSync('/srv/zeo/var/mistake')) process.exit(2);
  const log = openLog(pino, { level: 'info', format: 'text', file: '/var/log/syncpozo/watch.log' });
  const notifier = notifierOf(process.env, { log });
  process.on('SIGHUP', () => { log.reopen(); log.info({}, 'opened again'); });
  process.on('SIGTERM', () => { notifier.stopping('ending'); log.info({}, 'ends'); process.exit(0); });
  notifier.ready('begins');
  let round = 0;
  setInterval(() => {
    if (existsSync('/srv/zeo/var/hang')) return;
    notifier.watchdog();
    notifier.status('round ' + ++round);
  }, 100);`;

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
    put('etc/systemd/system/syncpozo-watch.service.d/test.conf', '[Service]\nWatchdogSec=3s\n');
    put('opt/watch.mjs', WATCH);
    mkdirSync(join(files, 'usr/local/bin'), { recursive: true });
    // Without a configuration: the sides are those of the samples.
    writeScript(
      join(files, 'usr/local/bin/syncpozo'),
      `[ "$1" = watch ] && exec node /opt/watch.mjs
exec node /opt/project/dist/app/cli.cjs sync --log-format text /mnt/m1/zeo/var /srv/zeo/var`,
    );
    mkdirSync(join(files, 'mnt/m1/zeo/var'), { recursive: true });
    const site = Site.create(join(files, 'mnt/m1/zeo/var/Data.fs'));
    for (let page = 1; page <= 5; page++) site.commit(site.pages(new Map([[page, `page ${page}`]])));
    site.close();
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
    assert.match(show('syncpozo-watch', 'StatusText'), /^round \d+$/);
    assert.match(inside(`cat /proc/${pid}/status`), /^CapBnd:\s+0+$/m);
  });

  it('a reload opens the log again', async () => {
    inside('cd /var/log/syncpozo && mv watch.log watch.log.1');
    assert.equal(inside('systemctl reload syncpozo-watch.service'), '');
    await eventually('the new log', () => inside('cat /var/log/syncpozo/watch.log').endsWith('INFO opened again'));
    assert.equal(inside('stat -c %U /var/log/syncpozo/watch.log'), 'zope');
  });

  it('a watch that makes no rounds is ended and started again', async () => {
    inside('touch /srv/zeo/var/hang');
    await eventually('the watchdog', () => show('syncpozo-watch', 'Result') === 'watchdog');
    inside('rm /srv/zeo/var/hang');
    await eventually(
      'the next start',
      () => show('syncpozo-watch', 'NRestarts') === '1' && show('syncpozo-watch', 'ActiveState') === 'active',
    );
    assert.equal(inside('systemctl stop syncpozo-watch.service'), '');
    assert.equal(show('syncpozo-watch', 'Result'), 'success');
  });

  it('a mistake in the configuration is not tried again', async () => {
    inside('touch /srv/zeo/var/mistake');
    inside('systemctl start syncpozo-watch.service');
    await new Promise((resolve) => setTimeout(resolve, 6000));
    assert.deepEqual([show('syncpozo-watch', 'ActiveState'), show('syncpozo-watch', 'NRestarts')], ['failed', '0']);
    inside('rm /srv/zeo/var/mistake; systemctl reset-failed');
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
