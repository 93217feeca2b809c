import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { formatRole, type Role, type TermLine } from '../../src/standby/role.js';
import { assertEnd, type Run, syncpozo } from '../support/cli.js';
import { writeRole } from '../support/json-scenes.js';
import { heldByOther } from '../support/locks.js';
import { listing, type Pair, withPair } from '../support/pair.js';
import { promote } from '../support/promotion.js';

const roleAt = (data: string): string | undefined => /^role (\w+)$/m.exec(readFileSync(`${data}.role`, 'utf8'))?.[1];
const termsAt = (data: string): string[] => readFileSync(`${data}.role`, 'utf8').match(/^began .*$/gm) ?? [];
const on = (pair: Pair): void => writeFileSync(pair.statusFile, 'SYNCING=1\n');

const began = (term: number, position: number): TermLine => ({
  term,
  position,
  tid: 1n,
  at: 1,
  host: 'm1',
  command: 'promote',
  unused: false,
});

/** A role file of the master's side, with a term of its own that is higher than the slave's. */
function servesAgain(pair: Pair, role: Role = 'master'): void {
  const terms = [began(1, 4), began(2, readFileSync(pair.masterFile).length)];
  writeFileSync(`${pair.masterFile}.role`, formatRole({ role, terms }));
}

/** The sync of the old master's host, after its slave was promoted: the sides are exchanged. */
const backwards = (pair: Pair, ...more: string[]): Run =>
  syncpozo(['sync', pair.slave, pair.master, '--json', '--status-file', pair.statusFile, ...more]);

const eventsAt = (data: string): string[] =>
  existsSync(`${data}.events`)
    ? readFileSync(`${data}.events`, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).name)
    : [];

/** Asserts that the side was marked, that its terms stay, and what was reported. */
function assertMarked(run: Run, data: string, terms: readonly string[]): void {
  assertEnd(run, {
    exit: 3,
    action: 'refused',
    reason: /this side was superseded: its term is \d/,
    hint: /syncpozo rejoin /,
  });
  assert.equal(roleAt(data), 'superseded');
  assert.deepEqual(termsAt(data), terms);
  assert.deepEqual(
    eventsAt(data).filter((name) => name !== 'promoted' && name !== 'loss'),
    ['superseded'],
  );
}

describe('a sync of a side that serves, and finds that the other one has served in a higher term,', () => {
  for (const position of ['on', 'off'] as const)
    it(`marks it: a promoted one, with the switch ${position}`, () =>
      withPair((pair) => {
        promote(pair.synced());
        if (position === 'on') on(pair);
        const terms = termsAt(pair.slaveFile);
        assertEnd(
          pair.unchanged(() => pair.sync()),
          { exit: 0, action: 'off' },
        );
        servesAgain(pair);
        assert.equal(pair.unchanged(() => pair.sync('--dry-run')).exit, 0, 'a dry run marks nothing');
        assertMarked(pair.sync(), pair.slaveFile, terms);
        const { json } = syncpozo(['status', pair.slave, '--json', '--status-file', pair.statusFile]);
        assert.deepEqual([json.role, json.state], ['superseded', 'refused']);
        assert.match(json.stateReason, /higher term/);
        assert.equal(syncpozo(['may-serve', pair.slave]).exit, 3);
        assert.equal(promote(pair).exit, 3);
      }));

  it('marks it: a plain one, while its server holds the lock', () =>
    withPair(async (pair) => {
      promote(pair.synced());
      on(pair);
      await heldByOther({ ...pair, slave: pair.master } as Pair, ' PID\n', () => {
        assertMarked(backwards(pair), pair.masterFile, []);
      });
    }));

  it('marks nothing where the other side is lower, a slave of it, unreadable, or out of reach', () =>
    withPair(async (pair) => {
      promote(pair.synced());
      const role = `${pair.masterFile}.role`;
      const peers: readonly (() => void)[] = [
        () => rmSync(role, { force: true }),
        () => writeFileSync(role, 'nonsense'),
        () => writeRole(pair.masterFile, 'slave'),
        () =>
          writeFileSync(role, formatRole({ role: 'slave', terms: [began(1, 4), { ...began(2, 9), unused: true }] })),
        () => rmSync(pair.master, { recursive: true }),
        () => mkdirSync(pair.master),
      ];
      for (const change of peers) {
        change();
        const before = listing(pair.slave);
        assertEnd(pair.sync(), { exit: 0, action: 'off' });
        assert.deepEqual(listing(pair.slave), before);
      }
      rmSync(pair.slave, { recursive: true });
      assertEnd(pair.sync(), { exit: 0, action: 'off' });
    }));

  it('does not mark a slave', () =>
    withPair(async (pair) => {
      servesAgain(pair.synced());
      await heldByOther(pair, ' PID\n', () => assertEnd(pair.sync(), { exit: 5 }));
      assert.equal(roleAt(pair.slaveFile), 'slave');
      pair.synced();
      assert.equal(termsAt(pair.slaveFile).length, 2);
    }));
});

describe('a sync of a superseded side', () => {
  it('is refused, with a hint to rejoin it, if it has transactions of its own', () =>
    withPair((pair) => {
      promote(pair.synced());
      pair.commitToSlave('served from here');
      servesAgain(pair);
      pair.sync();
      on(pair);
      const run = pair.sync();
      assertEnd(run, { exit: 3, action: 'refused', hint: /syncpozo rejoin MASTER SLAVE|syncpozo rejoin \// });
      assert.equal(roleAt(pair.slaveFile), 'superseded', 'the refusal does not change the role');
    }));

  it('follows, and makes a slave of it, if it has none', () =>
    withPair((pair) => {
      promote(pair.synced());
      pair.commit('served by the other one');
      servesAgain(pair);
      pair.sync();
      on(pair);
      assertEnd(pair.sync(), { exit: 0 });
      assert.equal(roleAt(pair.slaveFile), 'slave');
      pair.assertInStep();
    }));
});

describe('a sync from a MASTER that', () => {
  it('rejoins is refused, with --full too', () =>
    withPair((pair) => {
      servesAgain(pair.synced(), 'rejoining');
      for (const more of [[], ['--full']])
        assertEnd(pair.sync(...more), { exit: 3, action: 'refused', reason: /a rejoin has begun there/ });
    }));

  it('was superseded is refused, unless --full is given', () =>
    withPair((pair) => {
      servesAgain(pair.synced(), 'superseded');
      assertEnd(pair.sync(), { exit: 3, action: 'refused', reason: /superseded, by its role file/, hint: /--full/ });
      assertEnd(pair.sync('--full'), { exit: 0, action: 'rebuild' });
      assert.equal(existsSync(join(pair.slave, 'Data.fs')), true);
    }));
});
