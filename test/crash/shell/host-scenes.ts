import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scripts as ownScripts, writeScript } from '../../scripts/shell.js';
import { giveRole } from '../../scripts/zeo.js';
import { type Files, LAST, LAST_COMMAND, type Scene } from './play.js';

/** What a host remembers across a boot: its last good settings, and under which terms its clients run. */

const SETTINGS = 'cluster.settings';
const settingsText = (port: number): string =>
  `storages=main\nstorage_main_data=/srv/zeo/var/Data.fs\nzeo_control=/srv/zeo/bin/zeoctl\nzeo_port=${port}\nmax_age=60\n`;

function settingsEnv(root: string, state: string): Record<string, string> {
  return {
    SYNCPOZO: join(root, 'syncpozo'),
    SYNCPOZO_CONFIG: join(root, 'syncpozo.yml'),
    SYNCPOZO_DEFAULTS: join(root, 'none'),
    SYNCPOZO_STATE: state,
    SYNCPOZO_RUN: join(root, 'run'),
    SYNCPOZO_SYSLOG: 'no',
  };
}

const takeSettings = (scripts: string): string =>
  `cluster_lib='${scripts}/cluster'; . "$cluster_lib/cluster.sh"; settings; echo "$? $zeo_port $max_age"`;

/** The answers of the real reader with a syncpozo that does not work, by what is on the disk. */
const settingsRead = new Map<string, string>();

function readSettings(left: Files, root: string): string {
  const text = left.get(SETTINGS);
  const key = JSON.stringify(text ?? null);
  let found = settingsRead.get(key);
  if (found === undefined) {
    const state = join(root, 'after');
    rmSync(state, { recursive: true, force: true });
    mkdirSync(state);
    if (text !== undefined) writeFileSync(join(state, SETTINGS), text);
    const env = { PATH: '/usr/bin:/bin', ...settingsEnv(root, state), SYNCPOZO: '/bin/false' };
    found = spawnSync('sh', ['-c', takeSettings(ownScripts)], { env, encoding: 'utf8' }).stdout.trim();
    settingsRead.set(key, found);
  }
  return found;
}

/** `settings` of a script, after a change of the configuration: port 2 in the place of 1. */
function settingsScene(before: boolean): Scene {
  const old = before ? '0 1 60' : '6 8100 3600';
  return {
    name: `the last good settings${before ? '' : ', the first ones'}`,
    scripts: ['cluster/replace.sh', 'cluster/settings.sh'],
    prepare(root, scripts) {
      const at = join(root, 'at');
      mkdirSync(at);
      if (before) writeFileSync(join(at, SETTINGS), `# of another configuration\n${settingsText(1)}`);
      writeFileSync(join(root, 'syncpozo.yml'), 'new\n');
      writeScript(join(root, 'syncpozo'), `cat <<'END'\n${settingsText(2)}END`);
      const command = ['sh', '-c', `${takeSettings(scripts)}\n${LAST_COMMAND}`];
      return { directories: [at], command, env: settingsEnv(root, at), promise: LAST };
    },
    judge(left, promised, root) {
      const found = readSettings(left, root);
      return found === '0 2 60' || (!promised && found === old) ? undefined : `a takeover would take: ${found}`;
    },
  };
}

const NOTE = 'clients.term';
const CACHE = '../caches/main.zec';
const STALE = 'objects of lost transactions\n';

function clientsEnv(root: string): Record<string, string> {
  return { ...settingsEnv(root, join(root, 'at')), SYNCPOZO_SETTINGS: join(root, 'settings') };
}

function setClients(root: string): void {
  const restart = writeScript(join(root, 'restart'), `: restarted; echo fresh >'${root}/caches/main.zec'`);
  writeFileSync(
    join(root, 'settings'),
    `${settingsText(1)}storage_main_data='${root}/Data.fs' storage_main_peer='${root}/peer/Data.fs'
clients_restart="'${restart}'" clients_caches="'${root}/caches/*.zec'"\n`,
  );
}

const prepared = new Map<string, boolean>();

/** Whether a client that starts after the boot, behind the real `clients prepare`, has the stale cache. */
function startsStale(left: Files, root: string): boolean {
  if (left.get(CACHE) !== STALE) return false;
  const key = JSON.stringify(left.get(NOTE) ?? null);
  let found = prepared.get(key);
  if (found === undefined) {
    const host = join(root, 'booted');
    rmSync(host, { recursive: true, force: true });
    for (const path of ['', 'at', 'caches', 'run']) mkdirSync(join(host, path));
    setClients(host);
    giveRole(join(host, 'Data.fs'), 'slave', 2);
    writeFileSync(join(host, 'caches', 'main.zec'), STALE);
    const note = left.get(NOTE);
    if (note !== undefined) writeFileSync(join(host, 'at', NOTE), note);
    const text = `'${ownScripts}/cluster/clients' prepare; cat '${host}/caches/main.zec' 2>/dev/null`;
    const env = { PATH: '/usr/bin:/bin:/usr/sbin:/sbin', ...clientsEnv(host) };
    found = spawnSync('sh', ['-c', text], { env, encoding: 'utf8' }).stdout === STALE;
    prepared.set(key, found);
  }
  return found;
}

/** The real service on a host whose other side has taken over in term 2, with a loss: its clients are restarted, then it notes that. */
function clientsScene(interrupted: boolean): Scene {
  return {
    name: `the clients' restart after a loss${interrupted ? ', the second attempt' : ''}`,
    scripts: ['cluster/clients', 'cluster/replace.sh', 'cluster/restart.sh'],
    prepare(root, scripts) {
      const [at, caches] = [join(root, 'at'), join(root, 'caches')];
      for (const path of [at, caches, join(root, 'run')]) mkdirSync(path);
      setClients(root);
      giveRole(join(root, 'Data.fs'), 'slave', 2);
      writeFileSync(join(at, NOTE), 'main 1\n');
      writeFileSync(join(caches, 'main.zec'), STALE);
      const noted = `[ "$(cat '${at}/${NOTE}')" != 'main 1' ]`;
      const service = `'${scripts}/cluster/clients' run & service=$!
until ${noted}; do sleep 0.1; done
kill "$service"; wait "$service"
${LAST_COMMAND}`;
      // The first attempt has removed them, and was killed.
      const text = interrupted ? `rm '${caches}/main.zec'\n${service}` : service;
      return { directories: [at, caches], command: ['sh', '-c', text], env: clientsEnv(root), promise: LAST };
    },
    judge(left, promised, root) {
      const note = left.get(NOTE);
      if (note !== 'main 2\n' && (promised || note !== 'main 1\n'))
        return `the clients are restarted for nothing: the note is ${JSON.stringify(note)}`;
      return startsStale(left, root) ? `a client starts with ${STALE.trim()}: the note is ${note}` : undefined;
    },
  };
}

export const HOST_SCENES: readonly Scene[] = [
  settingsScene(true),
  settingsScene(false),
  clientsScene(false),
  clientsScene(true),
];
