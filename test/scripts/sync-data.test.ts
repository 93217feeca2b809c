import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { installSyncpozo, type Result, run, scratch, scripts, writeScript } from './shell.js';
import { commit, holdLock } from './zeo.js';

const timed = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z /;

interface Site {
  readonly dir: string;
  readonly master: string;
  readonly slave: string;
  readonly status: string;
  readonly syncData: (...args: readonly string[]) => Promise<Result>;
  readonly log: () => readonly string[];
}

/** Two directories with a space in their names, and a settings file with `command` as syncpozo. */
function makeSite(t: TestContext, makeCommand: (dir: string) => string): Site {
  const dir = scratch(t);
  const master = join(dir, "the master's");
  const slave = join(dir, 'the slave');
  mkdirSync(master);
  mkdirSync(slave);
  const logFile = join(dir, 'syncPozo.log');
  const status = join(dir, 'syncPozo.status');
  const defaults = join(dir, 'default');
  writeFileSync(defaults, `SYNCPOZO='${makeCommand(dir)}'\nSYNCPOZO_LOG='${logFile}'\nSYNCPOZO_STATUS='${status}'\n`);
  return {
    dir,
    master,
    slave,
    status,
    syncData: (...args) => run(join(scripts, 'syncData.sh'), args, { env: { SYNCPOZO_DEFAULTS: defaults } }),
    log: () => readFileSync(logFile, 'utf8').trimEnd().split('\n'),
  };
}

/** A command that prints its arguments one by one, with and without a time, and exits with the given status. */
function standIn(exitStatus: number): (dir: string) => string {
  return (dir) =>
    writeScript(
      join(dir, 'stand-in'),
      `echo "2001-02-03T04:05:06.789Z INFO own time"
echo '{"msg":"no time in front"}' >&2
for argument; do printf '<%s>\\n' "$argument"; done
printf 'no newline at the end, status file %s' "$SYNCPOZO_STATUS"
exit ${exitStatus}`,
    );
}

for (const exitStatus of [0, 1, 2, 3, 4, 5, 143]) {
  test(`exit status ${exitStatus} is passed on`, async (t) => {
    const site = makeSite(t, standIn(exitStatus));
    const result = await site.syncData(site.master, site.slave);
    assert.equal(result.status, exitStatus);
    assert.equal(result.stdout, '');
    // cron mails the output: nothing after a success, one line otherwise.
    if (exitStatus === 0) assert.equal(result.stderr, '');
    else assert.match(result.stderr, new RegExp(`^syncData\\.sh: exit status ${exitStatus}, see .*\\n$`));
    assert.match(site.log().at(-1) ?? '', new RegExp(`ended with exit status ${exitStatus}$`));
  });
}

test('every line of the log starts with one time, its own if it has one', async (t) => {
  const site = makeSite(t, standIn(0));
  await site.syncData(site.master, site.slave);
  await site.syncData(site.master, site.slave);
  const lines = site.log();
  for (const line of lines) assert.match(line, timed);
  assert.equal(lines.filter((line) => line.includes('Script has started synchronization')).length, 2);
  assert.match(lines[0] ?? '', /Script has started synchronization/);
  assert.ok(lines.includes('2001-02-03T04:05:06.789Z INFO own time'));
  assert.ok(lines.some((line) => line.replace(timed, '') === '{"msg":"no time in front"}'));
});

/** The arguments that a stand-in was given, in the last run. */
function givenTo(site: Site): string[] {
  const lines = site.log().map((line) => line.replace(timed, ''));
  return lines.slice(lines.lastIndexOf('<sync>')).filter((line) => /^<.*>$/.test(line));
}

test('the blob directories of the settings come before the own options', async (t) => {
  const site = makeSite(t, standIn(0));
  const before = ['<sync>', '<--log-format>', '<text>', `<${site.master}>`, `<${site.slave}>`];
  appendFileSync(join(site.dir, 'default'), "SYNCPOZO_BLOBS='/the master/blobs:/slave/blobs'\n");
  await site.syncData(site.master, site.slave, '--full');
  assert.deepEqual(givenTo(site), [...before, '<--blobs>', '</the master/blobs:/slave/blobs>', '<--full>']);
  appendFileSync(join(site.dir, 'default'), 'SYNCPOZO_BLOBS=\n');
  await site.syncData(site.master, site.slave);
  assert.deepEqual(givenTo(site), before);
});

test('arguments arrive unchanged and in order, and the status file with them', async (t) => {
  const site = makeSite(t, standIn(0));
  await site.syncData(site.master, site.slave, '--file', "Da*ta's $HOME.fs", '--full', '');
  assert.deepEqual(givenTo(site), [
    '<sync>',
    '<--log-format>',
    '<text>',
    `<${site.master}>`,
    `<${site.slave}>`,
    '<--file>',
    "<Da*ta's $HOME.fs>",
    '<--full>',
    '<>',
  ]);
  assert.ok(site.log().some((line) => line.endsWith(`status file ${site.status}`)));
});

test('a log that cannot be written does not stop the replication', async (t) => {
  const site = makeSite(t, standIn(3));
  appendFileSync(join(site.dir, 'default'), `SYNCPOZO_LOG='${site.dir}/missing/log'\n`);
  const result = await site.syncData(site.master, site.slave);
  assert.equal(result.status, 3);
  assert.match(result.stderr, /cannot write the log .*missing\/log; replication goes on/);
  assert.match(result.stderr, /own time/);
});

test('usage: too few arguments, options in front, missing settings file', async (t) => {
  const site = makeSite(t, standIn(0));
  for (const args of [
    [site.master],
    [site.master, ''],
    ['--full', site.master, site.slave],
    [site.master, '--full'],
    ['--scrub', '0', 'a', 'b'],
  ]) {
    const result = await site.syncData(...args);
    assert.equal(result.status, 2, args.join(' '));
    assert.match(result.stderr, /usage: syncData\.sh MASTER_DIR SLAVE_DIR/);
  }
  const help = await site.syncData('--help');
  assert.equal(help.status, 0);
  assert.match(help.stdout, /^usage: /);
  const missing = await run(join(scripts, 'syncData.sh'), [site.master, site.slave], {
    env: { SYNCPOZO_DEFAULTS: join(site.dir, 'missing') },
  });
  assert.equal(missing.status, 2);
  assert.match(missing.stderr, /cannot read the settings/);
});

test('without directories, every storage: of the options, and of the configuration that the settings name', async (t) => {
  const site = makeSite(t, standIn(0));
  appendFileSync(join(site.dir, 'default'), "SYNCPOZO_BLOBS='/a:/b'\n");
  assert.equal((await site.syncData()).status, 0);
  assert.deepEqual(givenTo(site), ['<sync>', '<--log-format>', '<text>']);
  assert.equal((await site.syncData('--scrub', '0', '--full')).status, 0);
  assert.deepEqual(givenTo(site), ['<sync>', '<--log-format>', '<text>', '<--scrub>', '<0>', '<--full>']);
  assert.ok(site.log().some((line) => line.endsWith('synchronization: every storage of /etc/syncpozo.yml')));
});

test('the real syncpozo: two storages of a configuration, and one of them out of reach', async (t) => {
  const site = makeSite(t, installSyncpozo);
  const path = join(site.dir, 'syncpozo.yml');
  const lines = ['main', 'catalog'].map((name) => {
    const [from, to] = [join(site.master, `${name}.fs`), join(site.slave, `${name}.fs`)];
    return `  ${name}: { master: ${JSON.stringify(from)}, slave: ${JSON.stringify(to)} }\n`;
  });
  writeFileSync(path, `storages:\n${lines.join('')}`);
  appendFileSync(join(site.dir, 'default'), `SYNCPOZO_CONFIG='${path}'\n`);
  for (const name of ['main', 'catalog']) await commit(join(site.master, `${name}.fs`), 1);
  const first = await site.syncData();
  assert.deepEqual([first.status, first.stdout, first.stderr], [0, '', ''], site.log().join('\n'));
  assert.deepEqual(readFileSync(join(site.slave, 'main.fs')), readFileSync(join(site.master, 'main.fs')));
  await commit(join(site.master, 'catalog.fs'), 2);
  renameSync(join(site.master, 'main.fs'), join(site.dir, 'gone'));
  const second = await site.syncData();
  assert.equal(second.status, 1);
  assert.match(second.stderr, /^syncData\.sh: exit status 1, see .* \(every storage of .*syncpozo\.yml\)\n$/);
  assert.deepEqual(readFileSync(join(site.slave, 'catalog.fs')), readFileSync(join(site.master, 'catalog.fs')));
  // The switch of the settings is that of storages which name none.
  writeFileSync(site.status, 'SYNCING=0\n');
  assert.equal((await site.syncData()).status, 0);
  assert.equal(site.log().filter((line) => line.includes('NOT SYNCING FROM MASTER')).length, 2);
});

test('a missing command is status 1, with a hint in the log', async (t) => {
  const site = makeSite(t, (dir) => join(dir, 'missing'));
  const result = await site.syncData(site.master, site.slave);
  assert.equal(result.status, 1);
  assert.ok(site.log().some((line) => line.includes('no such command')));
});

test('the real syncpozo: a first copy, nothing new, an append, switched off', async (t) => {
  const site = makeSite(t, installSyncpozo);
  const [from, to] = [join(site.master, 'Data.fs'), join(site.slave, 'Data.fs')];
  await commit(from, 1);
  const first = await site.syncData(site.master, site.slave);
  assert.deepEqual([first.status, first.stdout, first.stderr], [0, '', '']);
  assert.deepEqual(readFileSync(to), readFileSync(from));
  assert.equal((await site.syncData(site.master, site.slave)).status, 0);
  await commit(from, 2);
  assert.equal((await site.syncData(site.master, site.slave)).status, 0);
  assert.deepEqual(readFileSync(to), readFileSync(from));

  writeFileSync(site.status, 'SYNCING=0\n');
  await commit(from, 3);
  assert.equal((await site.syncData(site.master, site.slave)).status, 0);
  assert.notDeepEqual(readFileSync(to), readFileSync(from));

  const lines = site.log();
  for (const line of lines) assert.match(line, timed);
  for (const words of ['Start syncing', 'missing or empty .dat file (full backup)', 'NOT SYNCING FROM MASTER']) {
    assert.ok(
      lines.some((line) => line.includes(words)),
      `${words}\n${lines.join('\n')}`,
    );
  }
});

const failures: readonly (readonly [number, string, (site: Site, t: TestContext) => unknown])[] = [
  [1, 'the master is out of reach', (site) => renameSync(site.master, join(site.dir, 'gone'))],
  [2, 'garbage in the status file', (site) => writeFileSync(site.status, 'SYNCING=perhaps\n')],
  [3, 'the slave has grown', (site) => commit(join(site.slave, 'Data.fs'), 99)],
  [4, 'the master is not a Data.fs', (site) => writeFileSync(join(site.master, 'Data.fs'), 'x'.repeat(5000))],
  [5, 'a ZEO uses the slave', (site, t) => holdLock(t, join(site.slave, 'Data.fs.lock'), { content: '{pid}' })],
];

for (const [exitStatus, what, spoil] of failures) {
  test(`the real syncpozo's exit status ${exitStatus} is passed on: ${what}`, async (t) => {
    const site = makeSite(t, installSyncpozo);
    await commit(join(site.master, 'Data.fs'), 1);
    assert.equal((await site.syncData(site.master, site.slave)).status, 0);
    await spoil(site, t);
    const result = await site.syncData(site.master, site.slave);
    assert.equal(result.status, exitStatus, site.log().join('\n'));
    for (const line of site.log()) assert.match(line, timed);
  });
}
