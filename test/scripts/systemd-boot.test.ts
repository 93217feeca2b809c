import assert from 'node:assert/strict';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { Site } from '../support/site.js';
import { BootedHost, reasonToSkip } from './booted-host.js';
import { writeScript } from './shell.js';
import { textOf, UNITS } from './units.js';

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

describe('the units under a real systemd', { skip: reasonToSkip() }, () => {
  const host = new BootedHost();
  const inside = host.inside.bind(host);
  const show = host.show.bind(host);
  const eventually = host.eventually.bind(host);

  before(async () => {
    host.put(
      'etc/systemd/system/tests.target',
      '[Unit]\nDescription=tests\nDefaultDependencies=no\nWants=systemd-journald.service\n',
    );
    for (const unit of UNITS) host.put(`etc/systemd/system/${unit}`, textOf(unit));
    host.put(
      'etc/systemd/system/syncpozo-watch.service.d/test.conf',
      `[Service]
WatchdogSec=3s
ExecStart=
ExecStart=/usr/local/bin/syncpozo watch --config /etc/syncpozo.yml --log-format text --log-file /var/log/syncpozo/watch.log
`,
    );
    host.put('etc/syncpozo.yml', CONFIGURATION);
    writeScript(host.fileOf('usr/local/bin/syncpozo'), 'exec node /opt/project/dist/app/cli.cjs "$@"');
    writeScript(host.fileOf('usr/local/bin/hook'), 'cat >/srv/zeo/var/hook.called');
    host.put('var/lib/prometheus/node-exporter/other.prom', '');
    const master = host.fileOf(MASTER);
    const site = Site.create(master);
    const commit = (text: string): void => void site.commit(site.pages(new Map([[1, text]])));
    for (let page = 1; page <= 5; page++) commit(`page ${page}`);
    const first = readFileSync(master);
    for (const name of ['second', 'third']) {
      const before = readFileSync(master).length;
      commit(name);
      writeFileSync(host.fileOf(`opt/later/${name}`), readFileSync(master).subarray(before));
    }
    site.pack();
    copyFileSync(master, host.fileOf('opt/later/packed'));
    commit('behind the pack');
    copyFileSync(master, host.fileOf('opt/later/last'));
    site.close();
    writeFileSync(master, first);
    await host.boot();
    inside('chown zope /var/lib/prometheus/node-exporter');
  });

  after(() => host.end());

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
