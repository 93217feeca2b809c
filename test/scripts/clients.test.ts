import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it, test } from 'node:test';
import { isNoted, makeClientHost, recordPromotion, recordSuperseded } from './client-host.js';
import { eventually, run, scripts } from './shell.js';
import { commit, giveRole } from './zeo.js';

test('a takeover with a possible loss, for real: once, when ZEO listens, without the cache', async (t) => {
  const host = await makeClientHost(t);
  await commit(host.dataFs, 5);
  giveRole(host.dataFs, 'slave', 1);
  host.note('main 1');
  writeFileSync(host.cache, 'of a lost transaction');
  const service = await host.watch();
  assert.deepEqual(host.restarts(), [], 'they run in the term that is served');
  const start = await host.zeo('start');
  assert.equal(start.status, 0, start.stderr);
  await isNoted(host, 'main 2');
  assert.ok(!existsSync(host.cache));
  await service.looks(2);
  assert.deepEqual(host.restarts(), ['zeo']);
  assert.match(service.log(), /^clients: restarting the ZEO clients .* may be lost$/m);
  assert.equal((await host.zeo('stop')).status, 0);
});

test('a takeover without syncpozo begins no term, and nobody knows what it has lost: without the cache', async (t) => {
  const host = await makeClientHost(t);
  giveRole(host.dataFs, 'slave', 1);
  host.note('main 1');
  writeFileSync(host.cache, 'of a lost transaction');
  await host.watch();
  writeFileSync(join(host.run, 'unpromoted'), '');
  await isNoted(host, 'main 1 unpromoted');
  assert.ok(!existsSync(host.cache));
  assert.equal(host.restarts().length, 1);
});

interface Scene {
  readonly noted?: string;
  /** What the promotions to 2 and on were, here. */
  readonly here?: readonly ('none' | 'possible' | 'certain' | null)[];
  /** The same on the other host; undefined: its mount is empty. */
  readonly there?: readonly ('none' | 'possible' | 'certain' | null)[];
  readonly expected: readonly string[];
}

const PROMOTED: Readonly<Record<string, Scene>> = {
  'after one that has lost nothing, none is restarted': { here: ['none'], expected: [] },
  'after one that has certainly lost something': { here: ['certain'], expected: ['zeo'] },
  'after one of a syncpozo that does not know': { here: [null], expected: ['zeo'] },
  'after one that was killed before its event': { here: [], expected: ['zeo'] },
  'after two, of which the first, on the other host, has lost something': {
    here: [],
    there: ['possible', 'none'],
    expected: ['zeo'],
  },
  'after two that have lost nothing': { there: ['none', 'none'], expected: [] },
  'on a host that has noted nothing': { noted: '', here: ['none'], expected: ['zeo'] },
  'on a host that has noted a higher term': { noted: 'main 7', here: ['none'], expected: ['zeo'] },
};

describe('a promotion of this host', { concurrency: 4 }, () => {
  for (const [name, { noted = 'main 1', here, there, expected }] of Object.entries(PROMOTED)) {
    it(name, async (t) => {
      const host = await makeClientHost(t);
      const term = 1 + Math.max(here?.length ?? 0, there?.length ?? 0, 1);
      if (noted !== '') host.note(noted);
      host.role('master', term);
      for (const [at, loss] of here?.entries() ?? []) recordPromotion(host.dataFs, at + 2, loss);
      for (const [at, loss] of there?.entries() ?? []) recordPromotion(host.peer, at + 2, loss);
      await host.listen();
      await host.watch();
      await isNoted(host, `main ${term}`);
      assert.deepEqual(host.restarts(), expected);
    });
  }
});

const SUPERSEDED: Readonly<Record<string, Scene>> = {
  'and nothing was lost: none is restarted': { there: ['none'], expected: [] },
  'and something may be lost': { there: ['possible'], expected: ['no-zeo'] },
  'and the other host cannot be asked': { expected: ['no-zeo'] },
  'and its event never comes': { there: [], expected: ['no-zeo'] },
};

describe('a promotion of the other host: this one was superseded', { concurrency: 4 }, () => {
  for (const [name, { there, expected }] of Object.entries(SUPERSEDED)) {
    it(name, async (t) => {
      const host = await makeClientHost(t);
      host.note('main 1');
      host.role('master', 1);
      const service = await host.watch();
      host.role('superseded', 1);
      recordSuperseded(host.dataFs, 1, 2);
      if (there?.length === 0) recordPromotion(host.peer, 1, 'none');
      for (const [at, loss] of there?.entries() ?? []) recordPromotion(host.peer, at + 2, loss);
      await isNoted(host, 'main 2');
      assert.deepEqual(host.restarts(), expected);
      // The way back: the terms of the serving side.
      host.role('slave', 2);
      await service.looks(1);
      assert.deepEqual(host.restarts(), expected);
    });
  }
});

test('the event of the other host that comes a second after the mark is waited for', async (t) => {
  const host = await makeClientHost(t);
  host.note('main 1');
  recordPromotion(host.peer, 1, 'none');
  host.role('superseded', 1);
  recordSuperseded(host.dataFs, 1, 2);
  const service = await host.watch();
  assert.equal(host.noted(), 'main 1');
  recordPromotion(host.peer, 2, 'none');
  await isNoted(host, 'main 2');
  assert.deepEqual([host.restarts(), /nothing was lost/.test(service.log())], [[], true]);
});

test('a mount of the other host that hangs holds up nothing', async (t) => {
  const host = await makeClientHost(t);
  host.note('main 1');
  mkdirSync(join(host.dir, 'peer', 'var'), { recursive: true });
  execFileSync('mkfifo', [`${host.peer}.events`]);
  host.role('superseded', 1);
  await host.watch();
  await isNoted(host, 'main 2');
  assert.deepEqual(host.restarts(), ['no-zeo']);
});

test('a service that is ended in the middle of a restart restarts them again', async (t) => {
  const host = await makeClientHost(t);
  host.note('main 1');
  host.role('master', 2);
  await host.listen();
  host.restartBy((note) => `${note}\nexec tail -f '${host.dir}/restarted'`);
  const first = await host.watch();
  await eventually('the restart has begun', () => host.restarts().length === 1);
  first.process.kill('SIGKILL');
  assert.equal(host.noted(), 'main 1');
  host.restartBy((note) => note);
  await host.watch();
  await isNoted(host, 'main 2');
  assert.equal(host.restarts().length, 2);
});

test('a restart that fails is tried again, and said', async (t) => {
  const host = await makeClientHost(t);
  host.note('main 1');
  host.role('master', 2);
  await host.listen();
  host.restartBy((note) => `${note}\n[ -e '${host.dir}/repaired' ]`);
  const service = await host.watch();
  await eventually('it has failed', () => /has ended with 1: clients may go on/.test(service.log()));
  assert.match(service.log(), /^clients: hint: .*cluster\.clients\.restart in /m);
  writeFileSync(join(host.dir, 'repaired'), '');
  await isNoted(host, 'main 2');
});

test('a note that cannot be written restarts nobody twice', async (t) => {
  const host = await makeClientHost(t);
  mkdirSync(join(host.dir, 'clients.term', 'in-the-way'), { recursive: true });
  host.role('master', 2);
  await host.listen();
  const service = await host.watch();
  await eventually('it is said', () => /cannot write .*clients\.term/.test(service.log()));
  await service.looks(2);
  assert.equal(host.restarts().length, 1);
});

test('of several storages, one that has lost something is enough', async (t) => {
  const host = await makeClientHost(t, ['catalog']);
  host.note('main 1\ncatalog 1');
  for (const storage of ['main', 'catalog']) host.role('slave', 1, storage);
  await host.watch();
  recordPromotion(host.dataFs, 2, 'none');
  recordPromotion(host.file('catalog'), 2, 'possible');
  host.role('master', 2);
  host.role('master', 2, 'catalog');
  await host.listen();
  await isNoted(host, 'main 2, catalog 2');
  assert.equal(host.restarts().length, 1);
});

test('the address has left this host: restarted only if the other one cannot be asked, and not a second time', async (t) => {
  const host = await makeClientHost(t);
  const bin = join(host.dir, 'bin');
  const address = join(host.dir, 'has-address');
  writeFileSync(join(bin, 'ip'), `#!/bin/sh\n[ ! -e '${address}' ] || echo '1: lo inet 127.0.0.1/8 scope host lo'\n`, {
    mode: 0o755,
  });
  host.set({ PATH: `${bin}:/usr/bin:/bin` });
  host.note('main 1');
  host.role('master', 1);
  host.peerRole('slave', 1);
  writeFileSync(address, '');
  const service = await host.watch();
  await service.looks(1);
  rmSync(address);
  await service.looks(3);
  assert.deepEqual(host.restarts(), [], 'the other side answers, and has not served');
  writeFileSync(address, '');
  await service.looks(2);
  rmSync(`${host.peer}.role`);
  rmSync(address);
  await eventually('they are restarted', () => host.restarts().length === 1);
  assert.equal(host.noted(), 'main 1');
  host.peerRole('master', 2);
  recordPromotion(host.peer, 2, 'possible');
  recordSuperseded(host.dataFs, 1, 2);
  host.role('superseded', 1);
  await isNoted(host, 'main 2');
  assert.equal(host.restarts().length, 1, 'they have seen nothing since');

  recordPromotion(host.dataFs, 3, 'possible');
  host.role('master', 3);
  writeFileSync(address, '');
  await host.listen();
  await isNoted(host, 'main 3');
  assert.equal(host.restarts().length, 2, 'the next promotion counts');
});

test('turned off, it only says what to do; without a command it ends', async (t) => {
  const host = await makeClientHost(t);
  host.note('main 1');
  host.role('master', 2);
  await host.listen();
  host.set({ clients_after_loss: 'no' });
  const service = await host.watch();
  await eventually('it is said', () => /hint: cluster\.clients\.after-loss/.test(service.log()));
  await service.looks(1);
  assert.deepEqual([host.restarts(), host.noted()], [[], 'main 1']);
  assert.equal(service.log().match(/transactions may be lost/g)?.length, 1);
  recordPromotion(host.dataFs, 3, 'none');
  host.set({ clients_restart: '' });
  const other = await host.watch();
  await eventually('it has ended', () => other.process.exitCode === 0);
  assert.match(other.log(), /cluster\.clients\.restart in .* is not set/);
});

type Prepared = Awaited<ReturnType<typeof makeClientHost>>;
const PREPARE: readonly (readonly [name: string, prepare: (host: Prepared) => void | Promise<void>, kept: boolean])[] =
  [
    ['of the term that is served', (host) => host.listen(), true],
    [
      'of another term',
      (host) => {
        host.note('main 1');
        return host.listen();
      },
      false,
    ],
    [
      'of an unknown term',
      (host) => {
        rmSync(join(host.dir, 'clients.term'));
        return host.listen();
      },
      false,
    ],
    ['on a host that boots, whose peer has not served since', (host) => host.peerRole('slave', 2), true],
    ['on a host that boots, whose peer has', (host) => host.peerRole('master', 3), false],
    ['on a host that boots, whose peer is out of reach', () => undefined, false],
    ['on a slave', (host) => host.role('slave', 2), true],
    ['with a role that cannot be read', (host) => writeFileSync(`${host.dataFs}.role`, 'nonsense'), false],
  ];

describe('prepare: the cache', { concurrency: 4 }, () => {
  for (const [name, before, isKept] of PREPARE)
    it(`${name} is ${isKept ? 'kept' : 'removed'}`, async (t) => {
      const host = await makeClientHost(t);
      writeFileSync(host.cache, 'a cache');
      host.note('main 2');
      host.role('master', 2);
      await before(host);
      assert.equal((await host.prepare()).status, 0);
      assert.equal(existsSync(host.cache), isKept);
      assert.deepEqual(readdirSync(host.run), [], 'it leaves nothing behind');
    });
});

test('prepare on a superseded host waits until ZEO is down there', async (t) => {
  const host = await makeClientHost(t);
  host.role('superseded', 1);
  await host.listen();
  let isDone = false;
  const prepared = host.prepare().then((result) => {
    isDone = true;
    return result;
  });
  await new Promise((resolve) => setTimeout(resolve, 1500));
  assert.equal(isDone, false);
  host.stopListening();
  assert.equal((await prepared).status, 0);
});

test('no cache is removed behind a symbolic link, and many of them are counted', async (t) => {
  const host = await makeClientHost(t);
  const caches = dirname(host.cache);
  const elsewhere = join(host.dir, 'elsewhere');
  for (const name of [elsewhere, join(caches, 'own')]) mkdirSync(name);
  const [kept, own] = [join(elsewhere, 'Data.fs'), join(caches, 'own', 'two words.zec')];
  for (const path of [kept, own, host.cache]) writeFileSync(path, '');
  for (let at = 0; at < 20; at++) writeFileSync(join(caches, `many-${at}.zec`), '');
  symlinkSync(elsewhere, join(caches, 'link'));
  appendFileSync(
    join(host.dir, 'etc', 'settings'),
    `clients_caches="'${caches}/*.zec' '${caches}/*/*' '${caches}/none/*.zec'"\n`,
  );
  rmSync(join(host.dir, 'clients.term'), { force: true });
  const { status, stderr } = await host.prepare();
  assert.equal(status, 0);
  assert.match(stderr, /not removed: \S+\/link\/Data\.fs, as \S+\/link is a symbolic link/);
  assert.match(stderr, /removed 22 caches/);
  assert.deepEqual([existsSync(kept), existsSync(own), existsSync(host.cache)], [true, false, false]);
});

test('prepare holds up no client for a mistake of the configuration; the service says it', async (t) => {
  const host = await makeClientHost(t);
  host.set({ zeo_port: 'many' });
  const { status, stderr } = await host.prepare();
  assert.equal(status, 0);
  assert.match(stderr, /the caches of the client are left as they are/);
  const script = join(scripts, 'cluster', 'clients');
  assert.equal((await run(script, ['run'], { env: host.env })).status, 6);
  assert.equal((await run(script, ['restart'], { env: host.env })).status, 2);
});
