import assert from 'node:assert/strict';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { formatRole } from '../../src/standby/role.js';
import { assertNoCrash, type Run, Running, syncpozo } from '../support/cli.js';
import { writeRole } from '../support/json-scenes.js';
import { heldByOther } from '../support/locks.js';
import { listing, type Pair, withPair } from '../support/pair.js';
import { promote } from '../support/promotion.js';

/** What the start script of one host asks: DATA is that host's file, the other side is its peer. */
function mayServe(data: string, ...more: string[]): Run {
  const run = syncpozo(['may-serve', data, '--json', ...more]);
  assertNoCrash(run);
  if (run.exit === 0 || run.exit === 3) assert.equal(run.exit, run.json.exitCode, run.all);
  if (run.exit === 0 || run.exit === 3) assert.equal(run.json.mayServe, run.exit === 0);
  return run;
}
const ofMaster = (pair: Pair, ...more: string[]): Run => mayServe(pair.master, '--peer', pair.slave, ...more);
const ofSlave = (pair: Pair, ...more: string[]): Run => mayServe(pair.slave, '--peer', pair.master, ...more);
const roleAt = (data: string): string | undefined => /^role (\w+)$/m.exec(readFileSync(`${data}.role`, 'utf8'))?.[1];
/** Writes the index that a server writes when it is stopped: as syncpozo makes it, of a copy that nothing has open. */
function stopped(data: string): void {
  const aside = join(dirname(data), 'aside');
  mkdirSync(aside);
  copyFileSync(data, join(aside, 'Data.fs'));
  assert.equal(syncpozo(['index', aside]).exit, 0);
  copyFileSync(join(aside, 'Data.fs.index'), `${data}.index`);
  rmSync(aside, { recursive: true });
}

describe('syncpozo may-serve', () => {
  it('lets the master serve, and not its slave, before and after a takeover', () =>
    withPair((pair) => {
      pair.synced();
      const before = listing(pair.master);
      assert.equal(ofMaster(pair).exit, 0);
      assert.deepEqual(listing(pair.master), before, 'no file is written, no lock is taken');
      const slave = pair.unchanged(() => ofSlave(pair));
      assert.deepEqual([slave.exit, slave.json.role], [3, 'slave']);
      assert.match(slave.json.hint, /promote/);

      promote(pair);
      pair.commitToSlave('served from here');
      assert.equal(ofSlave(pair).exit, 0);
      const old = ofMaster(pair);
      assert.deepEqual([old.exit, old.json.role, old.json.peer.term], [3, 'plain', 1]);
      assert.match(old.json.reason, /superseded: its term is 0, and .* has served in term 1/);
      assert.match(old.json.hint, /syncpozo rejoin .*slave\/Data\.fs .*master\/Data\.fs/);
      assert.equal(roleAt(pair.masterFile), 'superseded');
      const [event] = JSON.parse(`[${readFileSync(`${pair.masterFile}.events`, 'utf8').trim().split('\n').join(',')}]`);
      assert.deepEqual([event.name, event.facts.term, event.facts.peerTerm], ['superseded', 0, 1]);

      // The answer stays right when the other side is gone, and is given once as an event.
      renameSync(pair.slave, `${pair.slave}.gone`);
      for (const more of [[], ['--force']]) {
        const again = mayServe(pair.master, '--peer', pair.slave, ...more);
        assert.deepEqual([again.exit, again.json.role], [3, 'superseded']);
      }
      assert.equal(mayServe(pair.master).exit, 3);
      assert.equal(readFileSync(`${pair.masterFile}.events`, 'utf8').trim().split('\n').length, 1);
    }));

  it('marks a superseded side while a server holds its lock, and not while a syncpozo does', () =>
    withPair(async (pair) => {
      promote(pair.synced());
      const master = { ...pair, slave: pair.master } as Pair;
      await heldByOther(master, 'syncpozo', () => {
        const run = ofMaster(pair);
        assert.equal(run.exit, 3);
        assert.match(run.json.reason, /could not be marked: another syncpozo/);
      });
      await heldByOther(master, ' PID\n', () => assert.equal(ofMaster(pair).exit, 3));
      assert.equal(roleAt(pair.masterFile), 'superseded');
    }));

  it(
    'says that it could not be marked, and refuses all the same, without the right to',
    { skip: process.getuid?.() !== 0 && 'needs root to drop rights' },
    () =>
      withPair((pair) => {
        promote(pair.synced());
        chmodSync(pair.master, 0o555);
        const args = ['may-serve', pair.master, '--peer', pair.slave, '--json'];
        const run = syncpozo(args, { through: ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] });
        assertNoCrash(run);
        assert.equal(run.exit, 3, run.all);
        assert.match(run.json.reason, /could not be marked: .*(EACCES|EPERM)/);
        assert.equal(run.json.role, 'plain');
      }),
  );

  it('takes a peer that is missing, empty, or not mounted for one that is out of reach', () =>
    withPair((pair) => {
      pair.synced();
      stopped(pair.masterFile);
      const empty = join(pair.directory, 'mount point');
      mkdirSync(empty);
      const places = [empty, join(pair.directory, 'nowhere'), join(pair.directory, 'nowhere', 'Data.fs')];
      for (const peer of places) {
        const run = mayServe(pair.master, '--peer', peer);
        assert.deepEqual([run.exit, run.json.peer.role, run.json.cleanStop], [0, 'unreachable', true], run.all);
      }
      // Committed since, and not stopped.
      pair.commit('after the index was written', 'and again');
      for (const peer of places) {
        const run = mayServe(pair.master, '--peer', peer);
        assert.deepEqual([run.exit, run.json.cleanStop], [3, false], run.all);
        assert.match(run.json.reason, /out of reach .*index covers \d+ of \d+ bytes/);
        assert.equal(mayServe(pair.master, '--peer', peer, '--force').exit, 0);
      }
      rmSync(`${pair.masterFile}.index`);
      assert.equal(mayServe(pair.master, '--peer', empty).exit, 3);
      assert.equal(mayServe(pair.master).exit, 0, 'without a peer, its role decides');
    }));

  it('is superseded by a side that has served in a higher term, while its data are moved away', () =>
    withPair((pair) => {
      promote(pair.synced());
      stopped(pair.masterFile);
      renameSync(pair.slaveFile, `${pair.slaveFile}.moved`);
      assert.equal(ofMaster(pair).exit, 3);
      assert.equal(roleAt(pair.masterFile), 'superseded');
    }));

  it('takes an index that is older than the lock for that of an earlier server', () =>
    withPair(async (pair) => {
      pair.synced();
      stopped(pair.masterFile);
      await new Promise((resolve) => setTimeout(resolve, 50));
      writeFileSync(`${pair.masterFile}.lock`, ' 4194304\n');
      const run = mayServe(pair.master, '--peer', join(pair.directory, 'nowhere'));
      assert.equal(run.exit, 3, run.all);
      assert.match(run.json.reason, /older than its lock or its data/);
    }));

  it('lets a side serve that was just promoted because the other one is dead', () =>
    withPair((pair) => {
      pair.synced();
      rmSync(pair.master, { recursive: true });
      promote(pair);
      const run = ofSlave(pair);
      assert.deepEqual([run.exit, run.json.role, run.json.cleanStop], [0, 'master', true], run.all);
    }));

  it('refuses where both were promoted, where neither is a slave, and where a role cannot be read', () =>
    withPair((pair) => {
      copyFileSync(pair.masterFile, pair.slaveFile);
      assert.deepEqual([ofMaster(pair).exit, ofSlave(pair).exit, ofSlave(pair, '--force').exit], [3, 3, 0]);
      rmSync(pair.slaveFile);
      promote(pair.synced());
      const began = { term: 1, position: 4, tid: 0n, at: 1, host: 'm1', command: 'promote', unused: false };
      writeFileSync(`${pair.masterFile}.role`, formatRole({ role: 'master', terms: [began] }));
      for (const run of [ofMaster(pair), ofSlave(pair)]) {
        assert.equal(run.exit, 3);
        assert.match(run.json.reason, /both sides were promoted, in term 1/);
        assert.match(run.json.hint, /compare/);
      }
      writeFileSync(`${pair.masterFile}.role`, 'nonsense');
      const own = ofMaster(pair, '--force');
      assert.deepEqual([own.exit, own.json.role], [3, 'unreadable']);
      const theirs = ofSlave(pair);
      assert.deepEqual([theirs.exit, theirs.json.peer.role], [3, 'unreadable']);
      assert.equal(ofSlave(pair, '--force').exit, 0);
    }));

  it('refuses a rejoining side, and lets the one serve that it rejoins', () =>
    withPair((pair) => {
      promote(pair.synced());
      writeRole(pair.masterFile, 'rejoining');
      const run = ofMaster(pair, '--force');
      assert.deepEqual([run.exit, run.json.role], [3, 'rejoining']);
      assert.equal(ofSlave(pair).exit, 0);
    }));

  it('refuses an empty database, but for the first start', () =>
    withPair((pair) => {
      const empty = join(pair.directory, 'empty');
      mkdirSync(empty);
      assert.match(mayServe(empty).json.reason, /empty database/);
      assert.equal(mayServe(empty, '--force').exit, 0);
    }));

  it('reports a mistake: the same side twice, a link to it, a path of another machine, no path, two storages', () =>
    withPair((pair) => {
      pair.synced();
      symlinkSync(pair.master, join(pair.directory, 'link'));
      for (const peer of [pair.master, pair.masterFile, join(pair.directory, 'link')])
        assert.match(mayServe(pair.master, '--peer', peer).stderr, /same file/);
      assert.match(mayServe(pair.master, '--peer', 'm2:/srv/zeo/var').stderr, /not a path of this machine/);
      for (const args of [
        [join(pair.directory, 'no', 'where')],
        [pair.master, '--peer', ''],
        [pair.master, pair.slave],
      ])
        assert.equal(syncpozo(['may-serve', ...args]).exit, 2);
    }));

  it('answers many at once alike, and writes one mark', () =>
    withPair(async (pair) => {
      promote(pair.synced());
      const args = ['may-serve', pair.master, '--peer', pair.slave, '--json'];
      const runs = await Promise.all(Array.from({ length: 6 }, () => Running.start(args).end()));
      assert.deepEqual(
        runs.map(({ exit }) => exit),
        [3, 3, 3, 3, 3, 3],
      );
      assert.equal(roleAt(pair.masterFile), 'superseded');
      assert.deepEqual(
        listing(pair.master).filter((line) => line.includes('.tmp')),
        [],
      );
    }));

  it('prints a line for people', () =>
    withPair((pair) => {
      pair.synced();
      const yes = syncpozo(['may-serve', pair.master, '--peer', pair.slave]);
      assert.match(yes.stdout, /^.*master\/Data\.fs may be served: the other side does not serve: it is a slave\n$/);
      const no = syncpozo(['may-serve', pair.slave]);
      assert.deepEqual([no.exit, no.stdout], [3, '']);
      assert.match(no.stderr, /must not be served: .*\nhint: /);
    }));
});
