import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Role } from '../../src/standby/role.js';
import type { Stop } from '../../src/takeover/clean-stop.js';
import { comparedWithPeer, type PeerSide, refusedByRole, type Side } from '../../src/takeover/may-serve.js';

const ROLES: readonly (Role | 'plain')[] = ['plain', 'slave', 'master', 'rejoining', 'superseded'];
const TERMS = [0, 1, 2, 3];
const STOPS: readonly Stop[] = [{ isClean: true }, { isClean: false, why: 'killed' }];

/** What two sides can be: a promoted one has a term, a plain one has none. */
const SIDES: readonly Side[] = ROLES.flatMap((role) =>
  TERMS.filter((term) => (role === 'master' ? term > 0 : role !== 'plain' || term === 0)).map((term) => ({
    role,
    term,
  })),
);
const PEERS: readonly PeerSide[] = [...SIDES, { problem: 'it is damaged' }, { unreachable: 'no mount' }];

/** The answer for one side, by the rules alone: not as the program finds it. */
function answerTo(own: Side, peer: PeerSide, stop: Stop, force = false): boolean {
  return !refusedByRole(own) && comparedWithPeer(own, peer, stop, force).mayServe;
}

describe('may-serve, of every two sides', () => {
  it('never lets a slave, a superseded or a rejoining side, or an unreadable one, serve', () => {
    for (const role of ['slave', 'superseded', 'rejoining'] as const)
      for (const term of TERMS) assert.equal(refusedByRole({ role, term })?.mayServe, false);
    assert.equal(refusedByRole({ problem: 'it is damaged' })?.mayServe, false);
  });

  it('never lets a side serve that the other one has beaten, also with --force', () => {
    for (const own of SIDES)
      for (const peer of SIDES.filter(({ term }) => term > own.term))
        for (const stop of STOPS) assert.equal(answerTo(own, peer, stop, true), false);
  });

  it('never lets both sides serve that see each other', () => {
    for (const one of SIDES)
      for (const other of SIDES)
        for (const stop of STOPS)
          assert.ok(!(answerTo(one, other, stop) && answerTo(other, one, stop)), JSON.stringify([one, other]));
  });

  it('lets the side serve that has served last, whatever a lower one says', () => {
    for (const own of SIDES.filter(({ role }) => role === 'master'))
      for (const peer of SIDES.filter(({ term }) => term < own.term))
        for (const stop of STOPS) assert.equal(answerTo(own, peer, stop), true);
  });

  it('needs a clean stop, or a person, only where the other side is out of reach', () => {
    const plain: Side = { role: 'plain', term: 0 };
    for (const own of [plain, { role: 'master', term: 2 }] as const)
      for (const peer of PEERS) {
        const [clean, killed] = STOPS.map((stop) => answerTo(own, peer, stop));
        assert.equal(clean !== killed, 'unreachable' in peer, JSON.stringify([own, peer]));
        assert.ok(!killed || clean);
      }
    assert.equal(answerTo(plain, { unreachable: 'no mount' }, STOPS[1]!, true), true);
  });

  it('lets a person decide what is not known', () => {
    for (const peer of [{ problem: 'it is damaged' }, { role: 'plain', term: 0 }] as const) {
      const own: Side = { role: 'plain', term: 0 };
      assert.deepEqual(
        [false, true].map((force) => answerTo(own, peer, STOPS[0]!, force)),
        [false, true],
      );
    }
  });

  it('gives a reason always, and a hint with every refusal', () => {
    for (const own of SIDES)
      for (const peer of PEERS)
        for (const stop of STOPS) {
          const answer = refusedByRole(own) ?? comparedWithPeer(own, peer, stop, false);
          assert.ok(answer.reason.length > 10);
          assert.equal(answer.hint === undefined, answer.mayServe, answer.reason);
        }
  });
});
