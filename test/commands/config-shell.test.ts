import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { assertNoCrash, syncpozo } from '../support/cli.js';
import { clusterText } from '../support/cluster.js';
import { withTempDir } from '../support/site.js';

/** The variables of a real shell after `eval`, by their names; each ends with a character that no value has. */
function evaluated(text: string, names: readonly string[], shell = 'sh'): Record<string, string> {
  const script = `set -eu; eval "$(cat)"; for n in "$@"; do eval "printf '%s=%s\\001' \\"$n\\" \\"\\$$n\\""; done`;
  const { stdout, stderr, status } = spawnSync(shell, ['-c', script, 'sh', ...names], {
    input: text,
    encoding: 'utf8',
  });
  assert.deepEqual([status, stderr], [0, '']);
  return Object.fromEntries(
    stdout
      .split('\u0001')
      .filter((each) => each !== '')
      .map((each) => [each.slice(0, each.indexOf('=')), each.slice(each.indexOf('=') + 1)]),
  );
}

function namesIn(text: string): string[] {
  return [...text.matchAll(/^([a-z_]\w*)='/gm)].map(([, name = '']) => name);
}

const TEXT = `storages:
  main: { master: /mnt/peer/zeo/var, slave: /srv/zeo/var, blobs: { master: /mnt/peer/zeo/blobs, slave: /srv/zeo/blobs } }
  cat-alog: { master: /mnt/peer/zeo/var/catalog.fs, slave: /srv/zeo/var/catalog.fs, status-file: /own }
status-file: /var/lib/syncpozo/status
watch: { interval: 1s, listen: 127.0.0.1:9177, textfile: /var/lib/figures/syncpozo.prom }
`;

describe('config shell', () => {
  it('prints what the scripts of the cluster need, as each host sees it', () =>
    withTempDir((directory) => {
      const path = join(directory, 'syncpozo.yml');
      const changes = {
        deadtime: '1.2s',
        ping: '192.168.1.1',
        clients: '{ restart: [systemctl, restart, zope.service], caches: ["/srv/zope/var/*.zec"] }',
        web: '{ check: "http://127.0.0.1/" }',
      };
      writeFileSync(path, TEXT + clusterText(changes));
      const { stdout, exit, stderr } = syncpozo(['config', 'shell', '--config', path, '--host', 'm1']);
      assert.deepEqual([exit, stderr], [0, '']);
      const expected = {
        syncpozo_host: 'm1',
        syncpozo_peer: 'm2',
        host_address: '192.168.1.11',
        peer_address: '192.168.1.12',
        host_heartbeat: '10.0.0.11',
        peer_heartbeat: '10.0.0.12',
        cluster_hosts: 'm1 m2',
        cluster_address: '192.168.1.10/24',
        cluster_interface: 'eth0',
        heartbeat_interface: 'eth1',
        cluster_manager: 'heartbeat',
        deadtime: '2',
        ping_address: '192.168.1.1',
        max_age: '3600',
        zeo_control: '/srv/zeo/bin/zeoctl',
        zeo_port: '8100',
        zeo_user: 'zope',
        zeo_start_wait: '300',
        zeo_stop_wait: '60',
        promote_wait: '20',
        clients_restart: "'systemctl' 'restart' 'zope.service'",
        clients_caches: "'/srv/zope/var/*.zec'",
        clients_after_loss: 'yes',
        web_check: 'http://127.0.0.1/',
        web_service: 'apache2',
        config_file: path,
        status_file: '/var/lib/syncpozo/status',
        watch_listen: '127.0.0.1:9177',
        watch_textfile: '/var/lib/figures/syncpozo.prom',
        storages: 'main cat-alog',
        data_files: '/srv/zeo/var/Data.fs\n/srv/zeo/var/catalog.fs',
        storage_main_data: '/srv/zeo/var/Data.fs',
        storage_main_peer: '/mnt/peer/zeo/var/Data.fs',
        storage_main_blobs: '/srv/zeo/blobs',
        storage_main_peer_blobs: '/mnt/peer/zeo/blobs',
        storage_main_status_file: '/var/lib/syncpozo/status',
        storage_cat_alog_data: '/srv/zeo/var/catalog.fs',
        storage_cat_alog_peer: '/mnt/peer/zeo/var/catalog.fs',
        storage_cat_alog_blobs: '',
        storage_cat_alog_peer_blobs: '',
        storage_cat_alog_status_file: '/own',
      };
      assert.deepEqual(evaluated(stdout, namesIn(stdout)), expected);
      const other = syncpozo(['config', 'shell', '--config', path, '--host', 'm2']).stdout;
      const { syncpozo_host, host_address, peer_address, host_heartbeat, peer_heartbeat, syncpozo_peer } = expected;
      assert.deepEqual(evaluated(other, namesIn(other)), {
        ...expected,
        syncpozo_host: syncpozo_peer,
        syncpozo_peer: syncpozo_host,
        host_address: peer_address,
        peer_address: host_address,
        host_heartbeat: peer_heartbeat,
        peer_heartbeat: host_heartbeat,
      });
    }));

  it('prints nothing that eval would run, whatever the values are', () =>
    withTempDir((directory) => {
      const marker = join(directory, 'ran');
      const nasty = [
        `it's "q" $(touch ${marker}) \`touch ${marker}\``,
        `'; touch ${marker}; '`,
        `\n touch ${marker}\n`,
      ];
      const [word = ''] = nasty;
      const path = join(directory, `a 'file' $(touch x);.yml`);
      const slave = `${directory}/${word.replaceAll('/', '_')}`;
      const lines = [
        `storages: { main: { master: ${JSON.stringify(`/mnt${word}`)}, slave: ${JSON.stringify(slave)} } }`,
        `status-file: ${JSON.stringify(`/st${nasty[1]}`)}`,
        clusterText({ clients: `{ restart: [x, ${nasty.map((each) => JSON.stringify(each)).join(', ')}] }` }),
      ];
      writeFileSync(path, lines.join('\n'));
      const run = syncpozo(['config', 'shell', '--config', path, '--host', 'm1']);
      assertNoCrash(run);
      assert.equal(run.exit, 0, run.all);
      for (const shell of ['sh', 'bash'].filter((each) => spawnSync(each, ['-c', ':']).status === 0)) {
        const names = ['storage_main_data', 'storage_main_peer', 'status_file', 'config_file', 'clients_restart'];
        const values = evaluated(run.stdout, names, shell);
        assert.equal(values['storage_main_data'], `${slave}/Data.fs`);
        assert.equal(values['storage_main_peer'], `/mnt${word}/Data.fs`);
        assert.equal(values['status_file'], `/st${nasty[1]}`);
        assert.equal(values['config_file'], path);
        const words = `eval "$(cat)"; eval "set -- $clients_restart"; printf '%s\\001' "$@"`;
        const { stdout } = spawnSync(shell, ['-c', words], { input: run.stdout, encoding: 'utf8' });
        assert.deepEqual(stdout.split('\u0001').slice(0, -1), ['x', ...nasty]);
      }
      assert.ok(!existsSync(marker));
    }));

  it('takes a slave that is a directory, or a file, for what it is', () =>
    withTempDir((directory) => {
      const path = join(directory, 'syncpozo.yml');
      mkdirSync(join(directory, 'named.fs'));
      writeFileSync(join(directory, 'file'), '');
      const storages = `a: { master: /p, slave: ${directory}/named.fs }, b: { master: /q, slave: ${directory}/file }`;
      writeFileSync(path, `storages: { ${storages} }\n${clusterText()}`);
      const { stdout } = syncpozo(['config', 'shell', '--config', path, '--host', 'm1']);
      assert.deepEqual(evaluated(stdout, ['storage_a_data', 'storage_b_data', 'storage_b_peer']), {
        storage_a_data: `${directory}/named.fs/Data.fs`,
        storage_b_data: `${directory}/file`,
        storage_b_peer: '/q/file',
      });
    }));

  it('is of the host that it runs on, and refuses another one', () =>
    withTempDir((directory) => {
      const path = join(directory, 'syncpozo.yml');
      const [own, other] = [`${hostname()}: { address: 10.0.0.1 }`, 'elsewhere: { address: 10.0.0.2 }'];
      const write = (hosts: string): void =>
        writeFileSync(path, TEXT + clusterText({ hosts: `{ ${hosts} }`, 'heartbeat-interface': '' }));
      write(`${other}, ${own}`);
      const run = syncpozo(['config', 'shell', '--config', path]);
      assert.equal(run.exit, 0, run.all);
      assert.equal(evaluated(run.stdout, ['syncpozo_host'])['syncpozo_host'], hostname());
      write(`${other}, third: { address: 10.0.0.3 }`);
      const refused = syncpozo(['config', 'shell', '--config', path]);
      assertNoCrash(refused);
      assert.deepEqual([refused.exit, refused.stdout], [2, '']);
      assert.equal(
        refused.stderr,
        `${path}: cluster.hosts: found elsewhere and third, expected ${hostname()}, this host's name\nhint: write the names that \`uname -n\` prints on both hosts into ${path}, or name a host with --host\n`,
      );
    }));

  it('needs a cluster, and no mistake in the file', () =>
    withTempDir((directory) => {
      const path = join(directory, 'syncpozo.yml');
      writeFileSync(path, TEXT);
      const without = syncpozo(['config', 'shell', '--config', path]);
      assert.deepEqual([without.exit, without.stdout], [2, '']);
      assert.match(without.stderr, /: found no key cluster, expected it\nhint: write the section cluster into /);
      writeFileSync(path, TEXT + clusterText({ deadtime: '5' }));
      const wrong = syncpozo(['config', 'shell', '--config', path, '--host', 'm1']);
      assert.deepEqual([wrong.exit, wrong.stdout], [2, '']);
      assert.match(wrong.stderr, /:12: cluster\.deadtime: found the number 5, expected a duration/);
      assert.match(syncpozo(['config', 'check', '--host', 'm1']).stderr, /'--host' is for 'shell'/);
      assert.match(syncpozo(['config', 'shell', 'x']).stderr, /'shell' takes no KEY/);
      assert.match(syncpozo(['config', 'shell', '--json']).stderr, /'--json' is for 'check'/);
    }));
});
