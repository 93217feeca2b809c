import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { describe, it } from 'node:test';
import { formatTid } from '../../src/filestorage/tid.js';
import { formatRole, type Role } from '../../src/standby/role.js';
import { assertEnd, assertNoCrash, syncpozo } from '../support/cli.js';
import { type Pair, withPair } from '../support/pair.js';
import { promote, promotedInOldDat, roleFileOf, roleOf, termsOf } from '../support/promotion.js';

const demote = (pair: Pair) => syncpozo(['demote', pair.slave, '--status-file', pair.statusFile, '--json']);
const status = (pair: Pair) => syncpozo(['status', pair.slave, '--status-file', pair.statusFile, '--json']);
const on = (pair: Pair) => writeFileSync(pair.statusFile, 'SYNCING=1\n');

/** Every way in which the role file can exist and be unreadable. */
const SPOILT: readonly (readonly [string, (path: string) => void])[] = [
  ['empty', (path) => writeFileSync(path, '')],
  ['of zeros', (path) => writeFileSync(path, Buffer.alloc(200))],
  [
    'with a bit flipped',
    (path) => writeFileSync(path, readFileSync(path, 'utf8').replace('role master', 'role mastes')),
  ],
  ['truncated', (path) => writeFileSync(path, readFileSync(path).subarray(0, -1))],
  ['of a later version', (path) => writeFileSync(path, readFileSync(path, 'utf8').replace('role 1', 'role 2'))],
  [
    'that is a directory',
    (path) => {
      rmSync(path);
      mkdirSync(path);
    },
  ],
];

function writeRole(pair: Pair, role: Role): void {
  writeFileSync(roleFileOf(pair), formatRole({ role, terms: [] }));
}

describe('the role file', () => {
  it('has no term before the first promotion, which starts term 1 at the end of the slave', () =>
    withPair((pair) => {
      pair.synced();
      assert.deepEqual([roleOf(pair), termsOf(pair)], ['slave', []]);
      assert.equal(status(pair).json.term, 0);
      const dat = readFileSync(pair.dat, 'utf8');
      const run = promote(pair);
      assert.equal(run.json.term, 1);
      const text = readFileSync(roleFileOf(pair), 'utf8');
      const end = `${pair.site.committedEnd} ${formatTid(pair.site.lastTid)}`;
      assert.match(text, new RegExp(`^began 1 ${end} \\d{13} ${hostname()} promote open$`, 'm'));
      assert.match(text, new RegExp(`^promoted ${end} \\d{13} \\d{13}$`, 'm'));
      // The .dat still records what was copied.
      const claimed = (of: string) => of.split('\n').filter((line) => /^(claim|chunk|slave|master)/.test(line));
      assert.deepEqual(claimed(readFileSync(pair.dat, 'utf8')), claimed(dat));
      assert.deepEqual([status(pair).json.role, status(pair).json.term], ['promoted', 1]);
    }));

  it('keeps every term, and marks those in which nothing was committed', () =>
    withPair((pair) => {
      pair.synced();
      const end = pair.site.committedEnd;
      const tid = formatTid(pair.site.lastTid);
      promote(pair);
      assert.equal(demote(pair).exit, 0);
      assert.deepEqual([roleOf(pair), termsOf(pair)], ['slave', [`1 ${end} ${tid} promote unused`]]);
      assert.deepEqual([status(pair).json.role, status(pair).json.term], ['slave', 0]);
      promote(pair);
      const served = formatTid(pair.commitToSlave('served from here'));
      const size = readFileSync(pair.slaveFile).length;
      assert.equal(demote(pair).exit, 0);
      const second = `2 ${end} ${tid} promote open`;
      assert.deepEqual(termsOf(pair), [`1 ${end} ${tid} promote unused`, second]);
      assert.equal(status(pair).json.term, 2);
      assert.equal(promote(pair).json.term, 3);
      assert.deepEqual(termsOf(pair).slice(1), [second, `3 ${size} ${served} promote open`]);
    }));

  it('that cannot be read prevents every write, and the error names it and the remedy', (test) =>
    withPair(async (pair) => {
      pair.synced();
      promote(pair);
      pair.commit('must not be copied');
      copyFileSync(roleFileOf(pair), `${pair.directory}/role`);
      for (const [name, spoil] of SPOILT) {
        await test.test(name, () => {
          rmSync(roleFileOf(pair), { recursive: true, force: true });
          copyFileSync(`${pair.directory}/role`, roleFileOf(pair));
          spoil(roleFileOf(pair));
          on(pair);
          for (const more of [[], ['--full'], ['--dry-run']]) {
            const run = pair.unchanged(() => pair.sync(...more));
            assertEnd(run, { exit: 3, action: 'refused', reason: /Data\.fs\.role /, hint: /Data\.fs\.role/ });
          }
          const known = pair.unchanged(() => status(pair));
          assertNoCrash(known);
          assert.deepEqual([known.exit, known.json.role, known.json.term], [0, 'unreadable', null]);
          assert.match(known.json.roleProblem, /Data\.fs\.role /);
          const again = pair.unchanged(() => promote(pair));
          assert.deepEqual([again.exit, again.json.promoted], [3, false]);
          assert.match(again.json.reason, /Data\.fs\.role /);
          assert.match(again.json.hint, /Data\.fs\.role/);
          assert.deepEqual(again.json.switch, {
            file: pair.statusFile,
            written: false,
            problem: null,
            left: 'as found',
          });
          assert.equal(readFileSync(pair.statusFile, 'utf8'), 'SYNCING=1\n');
          const down = pair.unchanged(() => demote(pair));
          assert.deepEqual([down.exit, down.json.demoted], [3, false]);
          assert.match(down.json.hint, /Data\.fs\.role/);
        });
      }
    }));

  it(
    'without read permission is not treated as missing',
    { skip: process.getuid?.() === 0 && 'root may read everything' },
    () =>
      withPair((pair) => {
        pair.synced();
        writeRole(pair, 'slave');
        chmodSync(roleFileOf(pair), 0);
        assertEnd(pair.sync(), { exit: 3, action: 'refused', reason: /Data\.fs\.role.*EACCES/ });
      }),
  );

  it('of an unfinished rejoin refuses sync, promote and demote', () =>
    withPair((pair) => {
      pair.synced();
      writeRole(pair, 'rejoining');
      const run = pair.unchanged(() => pair.sync());
      assertEnd(run, { exit: 3, action: 'refused', reason: /rejoin/, hint: /Data\.fs\.role/ });
      assert.deepEqual([promote(pair).exit, demote(pair).exit], [3, 3]);
      assert.equal(status(pair).json.role, 'rejoining');
    }));

  it('of a superseded side refuses promote until an operator demotes it', () =>
    withPair((pair) => {
      pair.synced();
      writeRole(pair, 'superseded');
      const run = pair.unchanged(() => promote(pair));
      assert.equal(run.exit, 3);
      assert.match(run.json.hint, /demote/);
      assert.equal(status(pair).json.role, 'superseded');
      assert.equal(demote(pair).json.demoted, true);
      assert.equal(promote(pair).exit, 0);
    }));

  it('of a slave without a .dat is that of a slave', () =>
    withPair((pair) => {
      pair.synced();
      promote(pair);
      demote(pair);
      on(pair);
      pair.commit('since then');
      assertEnd(pair.sync(), { exit: 0, action: 'adopt' });
      pair.assertNothingNew();
      assert.equal(roleOf(pair), 'slave');
    }));
});

describe('a slave promoted by the previous version', () => {
  const at = (pair: Pair) => `${pair.site.committedEnd} ${formatTid(pair.site.lastTid)}`;

  it('is promoted in term 1, which the next sync makes durable before it writes the .dat', () =>
    withPair((pair) => {
      pair.synced();
      promotedInOldDat(pair, `promoted ${at(pair)} 1795411149500 1795411140000`);
      const end = at(pair);
      const before = pair.unchanged(() => status(pair)).json;
      assert.deepEqual([before.role, before.term, before.promoted.at], ['promoted', 1, '2026-11-23T05:19:09.500Z']);
      pair.commit('must not be copied');
      const slave = readFileSync(pair.slaveFile);
      assertEnd(
        pair.unchanged(() => pair.sync('--dry-run')),
        { exit: 0, action: 'off' },
      );
      assertEnd(pair.sync(), { exit: 0, action: 'off', reason: /promoted/ });
      assert.deepEqual(termsOf(pair), [`1 ${end} carried-over open`]);
      assert.match(readFileSync(pair.dat, 'utf8'), /^syncpozo 3\nmaster /);
      assert.deepEqual(status(pair).json.promoted, before.promoted);
      for (const dat of ['', 'garbage', undefined]) {
        if (dat === undefined) rmSync(pair.dat);
        else writeFileSync(pair.dat, dat);
        for (const more of [[], ['--full']]) assertEnd(pair.sync(...more), { exit: 0, action: 'off' });
        assert.deepEqual(readFileSync(pair.slaveFile), slave);
      }
    }));

  it('is promoted already, and can be demoted', () =>
    withPair((pair) => {
      pair.synced();
      promotedInOldDat(pair, `promoted ${at(pair)} 1795411149500 -`);
      const run = pair.unchanged(() => promote(pair));
      assert.deepEqual([run.json.already, run.json.term, run.json.lastSync], [true, 1, null]);
      assert.equal(demote(pair).json.demoted, true);
      assert.deepEqual([roleOf(pair), termsOf(pair)], ['slave', [`1 ${at(pair)} carried-over unused`]]);
      on(pair);
      assertEnd(pair.sync(), { exit: 0, action: 'adopt' });
    }));

  it('whose promotion cut nothing off began its term at the claim', () =>
    withPair((pair) => {
      pair.synced();
      promotedInOldDat(pair);
      assertEnd(pair.sync(), { exit: 0, action: 'off' });
      assert.deepEqual(termsOf(pair), [`1 ${at(pair)} carried-over open`]);
      assert.equal(status(pair).json.role, 'promoted');
    }));

  it('with a damaged .dat is not treated as a slave, and may be promoted again', () =>
    withPair((pair) => {
      pair.synced();
      promotedInOldDat(pair, `promoted ${at(pair)} 1795411149500 -`);
      writeFileSync(pair.dat, readFileSync(pair.dat, 'utf8').replace('role promoted', 'role prOmoted'));
      pair.commit('must not be copied');
      const run = pair.unchanged(() => pair.sync('--full'));
      assertEnd(run, { exit: 3, action: 'refused', reason: /Data\.fs\.dat.*promoted/, hint: /Data\.fs\.dat/ });
      assert.equal(status(pair).json.role, 'unreadable');
      assert.equal(promote(pair).json.promoted, true);
      on(pair);
      assertEnd(pair.sync('--full'), { exit: 0, action: 'off' });
    }));
});

describe('a slave of this version', () => {
  it('that the previous version promoted later stays promoted, in the term after its last one', () =>
    withPair((pair) => {
      pair.synced();
      const role = readFileSync(roleFileOf(pair), 'utf8');
      promotedInOldDat(pair);
      writeFileSync(roleFileOf(pair), role);
      pair.commit('must not be copied');
      const slave = readFileSync(pair.slaveFile);
      assertEnd(pair.sync('--full'), { exit: 0, action: 'off' });
      assert.equal(roleOf(pair), 'master');
      rmSync(pair.dat);
      assertEnd(pair.sync('--full'), { exit: 0, action: 'off' });
      assert.deepEqual(readFileSync(pair.slaveFile), slave);
    }));
});

describe('a slave of the previous version', () => {
  it('continues, with nothing to do', () =>
    withPair((pair) => {
      pair.synced();
      promotedInOldDat(pair, undefined, 'slave');
      pair.assertNothingNew();
      pair.commit('one more');
      assertEnd(pair.sync(), { exit: 0, action: 'append' });
      assert.match(readFileSync(pair.dat, 'utf8'), /^syncpozo 3\nmaster /);
      pair.assertInStep();
    }));
});
