import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { formatRole } from '../../src/standby/role.js';
import { venvProgram } from '../support/venv.js';
import { installSyncpozo, type Result, run, scratch, scripts, writeScript } from './shell.js';

const python = venvProgram('python');

/** One host of a cluster: a ZEO instance in mkzeoinstance's layout, its configuration, and the files of the other host. */
export interface Instance {
  readonly dir: string;
  /** Of the storage `main`. */
  readonly dataFs: string;
  readonly lock: string;
  /** The other host's Data.fs, as it is mounted here. */
  readonly peer: string;
  readonly port: number;
  readonly status: string;
  /** Where the guard and the resource script leave word for each other. */
  readonly run: string;
  /** Runs the resource script. */
  readonly zeo: (verb: string) => Promise<Result>;
  /** Adds lines to the settings file; the last of several lines for one name counts. */
  readonly set: (settings: Readonly<Record<string, string | number>>) => void;
  /** Changes top-level keys of the configuration. */
  readonly configure: (changes: Readonly<Record<string, unknown>>) => void;
  /** Of any of its storages. */
  readonly file: (storage: string) => string;
  readonly peerFile: (storage: string) => string;
  readonly env: Readonly<Record<string, string>>;
}

/** `others`: names of further storages. The other host's files do not exist: it is out of reach. */
export async function makeInstance(t: TestContext, others: readonly string[] = []): Promise<Instance> {
  const dir = scratch(t);
  const run_ = join(dir, 'run');
  for (const name of ['bin', 'etc', 'var', 'blobs', 'run']) mkdirSync(join(dir, name));
  mkdirSync(join(dir, 'peer', 'var'), { recursive: true });
  const names = ['main', ...others];
  const nameOf = (storage: string): string => (storage === 'main' ? 'Data.fs' : `${storage}.fs`);
  const file = (storage: string): string => join(dir, 'var', nameOf(storage));
  const peerFile = (storage: string): string => join(dir, 'peer', 'var', nameOf(storage));
  const port = await freePort();
  const status = join(dir, 'syncPozo.status');
  writeZeoConf(dir, port, { files: names.map(file) });
  writeScript(join(dir, 'bin', 'runzeo'), `exec '${venvProgram('runzeo')}' -C '${dir}/etc/zeo.conf' "$@"`);
  writeScript(join(dir, 'bin', 'zeoctl'), `exec '${venvProgram('zeoctl')}' -C '${dir}/etc/zeo.conf' "$@"`);
  const storages = Object.fromEntries(names.map((name) => [name, { master: peerFile(name), slave: file(name) }]));
  const configuration = join(dir, 'etc', 'syncpozo.yml');
  const configure: Instance['configure'] = (changes) =>
    writeFileSync(configuration, JSON.stringify({ storages, 'status-file': status, ...changes }));
  configure({});
  const settings = join(dir, 'etc', 'settings');
  const set: Instance['set'] = (given) => {
    const lines = Object.entries(given).map(([name, value]) => `${name}='${value}'\n`);
    writeFileSync(settings, lines.join(''), { flag: 'a' });
  };
  set({
    storages: names.join(' '),
    status_file: status,
    zeo_control: join(dir, 'bin', 'zeoctl'),
    zeo_port: port,
    zeo_start_wait: 20,
    zeo_stop_wait: 10,
  });
  for (const name of names) set({ [`storage_${name}_data`]: file(name), [`storage_${name}_peer`]: peerFile(name) });
  const env = {
    SYNCPOZO: installSyncpozo(join(dir, 'bin')),
    SYNCPOZO_CONFIG: configuration,
    SYNCPOZO_SETTINGS: settings,
    SYNCPOZO_DEFAULTS: join(dir, 'etc', 'default'),
    SYNCPOZO_STATE: dir,
    SYNCPOZO_RUN: run_,
    SYNCPOZO_SYSLOG: 'no',
  };
  const zeo: Instance['zeo'] = (verb) => run(join(scripts, 'cluster', 'zeo'), [verb], { env });
  const dataFs = file('main');
  const lock = `${dataFs}.lock`;
  const places = { dir, dataFs, lock, peer: peerFile('main'), port, status, run: run_, file, peerFile };
  return { ...places, zeo, set, configure, env };
}

/** Gives a file a role, in this term; 0: of none. A side of the other host that has no data gets some. */
export function giveRole(
  path: string,
  role: 'slave' | 'master' | 'superseded' | 'rejoining',
  term = 0,
  unused = false,
): void {
  const line = { term, position: 4, tid: 0n, at: 1_700_000_000_000, host: 'm1', command: 'promote', unused };
  writeFileSync(`${path}.role`, formatRole({ role, terms: term === 0 ? [] : [line] }));
  if (!existsSync(path)) writeFileSync(path, 'FS30');
}

export function roleOf(path: string): string | undefined {
  return /^role (\w+)$/m.exec(readFileSync(`${path}.role`, 'utf8'))?.[1];
}

export interface ZeoConf {
  /** Of the storages 1, 2 and so on. */
  readonly files?: readonly string[];
  /** The blob directory of the first storage; none by default. */
  readonly blobs?: string;
}

export function writeZeoConf(dir: string, port: number, { files = [`${dir}/var/Data.fs`], blobs }: ZeoConf = {}): void {
  const storages = files.map(
    (path, at) => `<filestorage ${at + 1}>
  path ${path}${blobs === undefined || at > 0 ? '' : `\n  blob-dir ${blobs}`}
</filestorage>
`,
  );
  writeFileSync(
    join(dir, 'etc', 'zeo.conf'),
    `<zeo>
  address 127.0.0.1:${port}
</zeo>
${storages.join('')}<eventlog>
  <logfile>
    path ${dir}/zeo.log
  </logfile>
</eventlog>
<runner>
  program ${dir}/bin/runzeo
  socket-name ${dir}/zdsock
  directory ${dir}
  daemon true
  forever false
  backoff-limit 3
  exit-codes 0, 2
  default-to-interactive false
</runner>
`,
  );
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => (address !== null && typeof address === 'object' ? resolve(address.port) : reject()));
    });
  });
}

async function inPython(program: string, args: readonly string[]): Promise<string> {
  const result = await run(python, ['-c', program, ...args]);
  assert.equal(result.status, 0, result.stderr);
  return result.stdout.trim();
}

/** One transaction in Data.fs that sets root['n'], with this many bytes of ballast; no server may be running. */
export async function commit(dataFs: string, n: number, ballastBytes = 0): Promise<void> {
  const program = `
import os, sys, ZODB, ZODB.FileStorage, transaction
from persistent.mapping import PersistentMapping
db = ZODB.DB(ZODB.FileStorage.FileStorage(sys.argv[1]))
root = db.open().root()
root['n'] = int(sys.argv[2])
for i in range(int(sys.argv[3]) >> 20):
    root['ballast%s.%s' % (sys.argv[2], i)] = PersistentMapping(bytes=os.urandom(1 << 20))
transaction.commit()
db.close()`;
  await inPython(program, [dataFs, String(n), String(ballastBytes)]);
}

/** Commits a blob as root[name] to a Data.fs with a blob directory; no server may be running. */
export async function commitBlob(dataFs: string, blobs: string, name: string, text: string): Promise<void> {
  const program = `
import sys, ZODB, ZODB.FileStorage, transaction
from ZODB.blob import Blob
path, blobs, name, text = sys.argv[1:]
db = ZODB.DB(ZODB.FileStorage.FileStorage(path, blob_dir=blobs))
db.open().root()[name] = Blob(text.encode())
transaction.commit()
db.close()`;
  await inPython(program, [dataFs, blobs, name, text]);
}

/** The contents of the blob root[name] that a ZEO client reads, with a cache of its own. */
export function servedBlob(port: number, cache: string, name: string): Promise<string> {
  const program = `
import sys, ZEO
db = ZEO.DB(('127.0.0.1', int(sys.argv[1])), wait_timeout=10, blob_dir=sys.argv[2])
with db.open().root()[sys.argv[3]].open('r') as blob:
    print(blob.read().decode())
db.close()`;
  return inPython(program, [String(port), cache, name]);
}

/** The value that a ZEO client reads from root['n']. */
export async function served(port: number): Promise<number> {
  const program = `
import sys, ZEO
db = ZEO.DB(('127.0.0.1', int(sys.argv[1])), wait_timeout=10)
print(db.open().root()['n'])
db.close()`;
  return Number(await inPython(program, [String(port)]));
}

export interface Holder {
  readonly pid: number;
  readonly process: ChildProcess;
}

export interface HolderOptions {
  /** The text that the holder writes into the lock file, '{pid}' in zc.lockfile's syntax. */
  readonly content: string;
  readonly ignoresTerm?: boolean;
}

/** A process that takes Data.fs.lock as ZODB and syncpozo do, and keeps it. */
export async function holdLock(t: TestContext, lock: string, options: HolderOptions): Promise<Holder> {
  const child = spawn(python, ['-c', holderProgram, lock, options.content, options.ignoresTerm ? 'yes' : 'no'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  await new Promise<void>((resolve, reject) => {
    child.stdout.once('data', () => resolve());
    child.once('exit', () => reject(new Error(`cannot take ${lock}`)));
  });
  assert.ok(child.pid !== undefined);
  return { pid: child.pid, process: child };
}

export const holderProgram = `
import signal, sys, time, zc.lockfile
if sys.argv[3] == 'yes':
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
lock = zc.lockfile.LockFile(sys.argv[1], content_template=sys.argv[2])
print('held', flush=True)
time.sleep(120)`;

export const asSync = '{pid} syncpozo {hostname}';

/** A control script that records its verb, the switch and the lock in `trace`, and then obeys. */
export function traceControl(instance: Instance, before = ''): () => string {
  const trace = join(instance.dir, 'trace');
  writeFileSync(trace, '');
  const path = writeScript(
    join(instance.dir, 'bin', 'traced'),
    `if [ "$1" = start ]; then
  if flock -n '${instance.lock}' true; then lock=free; else lock=held; fi
  echo "$(cat '${instance.status}') lock=$lock" >>'${trace}'
  ${before}
fi
exec '${instance.dir}/bin/zeoctl' "$@"`,
  );
  instance.set({ zeo_control: path });
  return () => readFileSync(trace, 'utf8');
}

export async function lockIsFree(lock: string): Promise<boolean> {
  if (!existsSync(lock)) return true;
  const probe = await run('flock', ['-n', lock, 'true']);
  return probe.status === 0;
}

export function lockedBy(lock: string): number {
  return Number.parseInt(readFileSync(lock, 'utf8'), 10);
}

export function portListens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: '127.0.0.1', port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
