import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { makeEvent, type SlaveEvent } from '../../src/events/event.js';
import { supersededEvent } from '../../src/events/superseded-event.js';
import { formatRole, type Role } from '../../src/standby/role.js';
import { eventually, type Result, run, scripts, writeScript } from './shell.js';
import { type Instance, makeInstance } from './zeo.js';

const SCRIPT = join(scripts, 'cluster', 'clients');
const AT = 1_700_000_000_000;
/** An address that every host has. */
const ADDRESS = '127.0.0.1/8';

/** A host with ZEO clients: the command that restarts them notes its argument, and whether ZEO listened. */
export interface ClientHost extends Instance {
  /** `storage`: main unless given. */
  readonly role: (role: Role, term: number, storage?: string) => void;
  readonly peerRole: (role: Role, term: number) => void;
  /** What the host has noted; undefined: nothing. */
  readonly noted: () => string | undefined;
  readonly note: (text: string) => void;
  /** One word a restart: zeo or no-zeo. */
  readonly restarts: () => readonly string[];
  readonly cache: string;
  /** Starts the service, and returns once it has compared the terms for the first time. */
  readonly watch: () => Promise<Service>;
  readonly prepare: () => Promise<Result>;
  readonly listen: () => Promise<void>;
  readonly stopListening: () => void;
  /** Replaces the command: a body of a shell script. `note`: the line that notes the restart. */
  readonly restartBy: (body: (note: string) => string) => void;
}

export interface Service {
  readonly process: ChildProcess;
  readonly log: () => string;
  /** The service sees a change of role after 0.4 s at the latest. */
  readonly looks: (times: number) => Promise<void>;
}

export async function makeClientHost(t: TestContext, others: readonly string[] = []): Promise<ClientHost> {
  const instance = await makeInstance(t, others);
  const { dir, file, peer, port, env } = instance;
  const caches = join(dir, 'zope', 'var');
  mkdirSync(caches, { recursive: true });
  const cache = join(caches, 'main-1.zec');
  const [restarted, noteFile] = [join(dir, 'restarted'), join(dir, 'clients.term')];
  const command = join(dir, 'bin', 'restart-clients');
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  const note = `if grep -q ':${hex} .* 0A ' /proc/net/tcp; then echo "zeo $1"; else echo "no-zeo $1"; fi >>'${restarted}'`;
  const restartBy: ClientHost['restartBy'] = (body) => void writeScript(command, body(note));
  restartBy((line) => line);
  instance.set({ cluster_address: ADDRESS });
  appendFileSync(
    join(dir, 'etc', 'settings'),
    `clients_restart="'${command}' 'two words'"\nclients_caches="'${caches}/*.zec'"\n`,
  );
  let server: Server | undefined;
  const listen = (): Promise<void> =>
    new Promise((resolve) => {
      server = createServer().listen(port, '127.0.0.1', () => resolve());
    });
  const stopListening = (): void => void server?.close();
  t.after(stopListening);
  const watch = async (): Promise<Service> => {
    const child = spawn(SCRIPT, ['run'], {
      env: { PATH: '/usr/bin:/bin', ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let text = '';
    child.stderr.setEncoding('utf8').on('data', (more: string) => {
      text += more;
    });
    t.after(() => child.kill('SIGKILL'));
    const looks = (times: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, times * 1000));
    await looks(1);
    return { process: child, log: () => text, looks };
  };
  const lines = (path: string): string[] => (existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : []);
  return {
    ...instance,
    cache,
    role: (role, term, storage = 'main') => writeRole(file(storage), role, term),
    peerRole: (role, term) => writeRole(peer, role, term),
    noted: () => (existsSync(noteFile) ? readFileSync(noteFile, 'utf8').trim().replace('\n', ', ') : undefined),
    note: (text) => writeFileSync(noteFile, `${text}\n`),
    restarts: () => lines(restarted).map((line) => line.replace(' two words', '')),
    watch,
    prepare: () => run(SCRIPT, ['prepare'], { env }),
    listen,
    stopListening,
    restartBy,
  };
}

/** As a promotion publishes it, with a line for each term. */
export function writeRole(data: string, role: Role, term: number): void {
  const terms = Array.from({ length: term }, (_, at) => ({
    term: at + 1,
    position: 4,
    tid: 0n,
    at: AT + at,
    host: 'm1',
    command: 'promote',
    unused: false,
  }));
  writeFileSync(`${data}.role.new`, formatRole({ role, terms }));
  renameSync(`${data}.role.new`, `${data}.role`);
}

/** As a promotion to this term records it; null: by a syncpozo that does not know. */
export function recordPromotion(data: string, term: number, loss: 'none' | 'possible' | 'certain' | null): void {
  const facts = { term, loss, position: 4, lastTid: null, lastTime: null, lastSync: null, exitCode: 0 };
  record(
    data,
    makeEvent('promoted', AT, { storage: 'main', slave: data }, `the slave was promoted, term ${term}`, facts),
  );
}

export function recordSuperseded(data: string, term: number, peerTerm: number): void {
  const facts = {
    storage: 'main',
    slave: data,
    peer: '/mnt/Data.fs',
    term,
    peerTerm,
    reason: 'a reason',
    hint: 'a hint',
  };
  record(data, supersededEvent(facts, AT));
}

function record(data: string, event: SlaveEvent): void {
  mkdirSync(dirname(data), { recursive: true });
  appendFileSync(`${data}.events`, `${JSON.stringify(event)}\n`);
}

export async function isNoted(host: ClientHost, text: string): Promise<void> {
  await eventually(`clients.term is ${text}, and not ${host.noted()}`, () => host.noted() === text);
}
