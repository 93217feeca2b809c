import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { BlobPair } from '../support/blob-pair.js';
import { type LogRecord, Running, syncpozo } from '../support/cli.js';
import { eventually } from '../support/eventually.js';
import { scratch, writeScript } from './shell.js';
import { missing, permitted, SERVICES, textOf, valuesOf } from './units.js';

/** The programs that the services run, traced: their system calls by name, and the families of their sockets. */
async function traceServices(t: TestContext): Promise<{ calls: Set<string>; families: Set<string> }> {
  const dir = scratch(t);
  const logs = [1, 2, 3, 4].map((n) => join(dir, `trace-${n}`));
  const strace = (log: number) => ['strace', '-f', '-qq', '-o', logs[log] ?? ''];
  mkdirSync(join(dir, 'pair'));
  const pair = new BlobPair(join(dir, 'pair'));
  pair.commitBlobs('one', 'two');
  const small = [
    '--blobs',
    `${pair.masterBlobs}:${pair.slaveBlobs}`,
    '--chunk-size',
    '4KiB',
    '--workers',
    '2',
    '--scrub',
    'full',
  ];
  for (let page = 0; page < 40; page++) pair.commit('x'.repeat(4000));
  const first = syncpozo(pair.syncArgs(...small), { through: strace(0) });
  assert.equal(first.exit, 0, first.all);
  pair.commitBlobs('three');
  for (const [at, more] of [[], ['--full']].entries()) {
    const next = syncpozo(pair.syncArgs(...more, ...small), { through: strace(at + 1) });
    assert.equal(next.exit, 0, next.all);
  }

  await traceWatch(pair, strace(3));

  const text = logs.map((log) => readFileSync(log, 'utf8')).join('\n');
  return {
    calls: new Set([...text.matchAll(/^\d+ +([a-z_0-9]+)\(/gm)].map(([, name = '']) => name)),
    families: new Set([...text.matchAll(/ socket(?:pair)?\((AF_\w+),/g)].map(([, name = '']) => name)),
  };
}

/** A watch with all that it can be configured to do: it notifies systemd, calls a URL, answers requests, runs hooks. */
async function traceWatch(pair: BlobPair, strace: readonly string[]): Promise<void> {
  const { directory, master, slave, masterBlobs, slaveBlobs, statusFile } = pair;
  let beats = 0;
  const server = createServer((_, response) => {
    beats++;
    response.end('OK');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const hook = writeScript(join(directory, 'hook'), `cat >'${directory}/called'`);
  const config = join(directory, 'syncpozo.yml');
  writeFileSync(
    config,
    `storages:
  main:
    { master: ${master}, slave: ${slave}, blobs: { master: ${masterBlobs}, slave: ${slaveBlobs} }, status-file: ${statusFile} }
watch:
  interval: 200ms
  listen: 127.0.0.1:0
  textfile: ${directory}/figures
  heartbeat: http://localhost:${(server.address() as AddressInfo).port}/
hooks: { rebuild: [${hook}] }
`,
  );
  const log = join(directory, 'watch.log');
  const env = { NOTIFY_SOCKET: join(directory, 'none') };
  const watch = Running.start(['watch', '--config', config, '--log-file', log], { through: strace, env });
  const records = (): LogRecord[] => (existsSync(log) ? recordsIn(readFileSync(log, 'utf8')) : []);
  try {
    await eventually('it is in step', () => records().some(({ msg }) => msg === 'in step'));
    const { pid, address } = { ...records()[0] };
    pair.commitBlobs('four');
    await eventually('it follows', () => readFileSync(pair.slaveFile).equals(readFileSync(pair.masterFile)));
    pair.site.pack();
    await eventually('it rebuilds', () => existsSync(join(directory, 'called')));
    assert.equal((await fetch(`http://${address}/metrics`)).status, 200);
    await eventually('the heartbeat and the figures', () => beats > 0 && existsSync(join(directory, 'figures')));
    renameSync(log, `${log}.1`);
    process.kill(Number(pid), 'SIGHUP');
    await eventually('it opens its log again', () => existsSync(log));
    process.kill(Number(pid), 'SIGTERM');
    assert.equal((await watch.end()).exit, 0);
  } finally {
    watch.signal('SIGKILL');
    server.close();
  }
}

function recordsIn(text: string): LogRecord[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}

test('the services may make every system call that they make', {
  skip: missing('systemd-analyze', 'strace'),
}, async (t) => {
  const { calls, families } = await traceServices(t);
  assert.ok(
    calls.size > 40 && calls.has('fdatasync') && calls.has('flock') && calls.has('chown'),
    [...calls].join(' '),
  );
  assert.ok(
    ['inotify_add_watch', 'listen', 'accept4', 'sendmsg'].every((name) => calls.has(name)),
    [...calls].join(' '),
  );
  for (const unit of SERVICES) {
    const allowed = permitted(unit);
    assert.ok(allowed.size > 200 && !allowed.has('mount') && !allowed.has('setuid'), unit);
    // Without io_uring libuv uses epoll; without AF_NETLINK a name is looked up for both versions of IP.
    assert.deepEqual(
      [...calls].filter((name) => !allowed.has(name)),
      [],
      unit,
    );
    const named = new Set(valuesOf(textOf(unit), 'RestrictAddressFamilies').flatMap((value) => value.split(' ')));
    assert.deepEqual(
      [...families].filter((name) => name !== 'AF_NETLINK' && !named.has(name)),
      [],
      unit,
    );
  }
});
