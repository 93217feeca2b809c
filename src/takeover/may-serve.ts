import type { Role } from '../standby/role.js';
import type { Stop } from './clean-stop.js';

/** A side by its own files. */
export interface Side {
  /** `plain`: nothing beside the file says that syncpozo has ever made it a slave. */
  readonly role: Role | 'plain';
  /** The highest term in which it may have committed something; 0: none. */
  readonly term: number;
}

export type OwnSide = Side | { readonly problem: string };

/** What is known of the other side. */
export type PeerSide =
  | Side
  /** Its role cannot be read, though the side can. */
  | { readonly problem: string }
  /** `term`: of its role, where that can be read without its data. */
  | { readonly unreachable: string; readonly term?: number };

/** Why a server may be started, or must not. `beaten`: by the term of the other side. */
export interface Answer {
  readonly mayServe: boolean;
  readonly reason: string;
  readonly hint?: string;
  readonly isBeaten?: boolean;
}

const yes = (reason: string): Answer => ({ mayServe: true, reason });
const no = (reason: string, hint: string): Answer => ({ mayServe: false, reason, hint });

/**
 * What this side says by itself. undefined: it may serve, unless the other side says otherwise. A side that is not to
 * serve by its own role never may, whatever a person says here: there are commands that change the role.
 */
export function refusedByRole(own: OwnSide): Answer | undefined {
  if ('problem' in own)
    return no(
      own.problem,
      'nobody knows whether this side serves: restore that file from a backup, or ask the other side',
    );
  switch (own.role) {
    case 'slave':
      return no('this side is a slave, and was never promoted', "'syncpozo promote' makes it the side that serves");
    case 'rejoining':
      return no('a rejoin has begun here, and has not ended', 'run that rejoin again until it ends');
    case 'superseded':
      return no(
        'this side was superseded: another side has served in a higher term',
        "'syncpozo rejoin MASTER SLAVE' makes a slave of it, and keeps what only it has",
      );
    case 'plain':
    case 'master':
      return undefined;
  }
}

const FORCE = '--force starts it all the same';

/**
 * Compares this side, whose own role lets it serve, with the other one. `stop` is needed where that is out of reach: the
 * other side may have been promoted since a server was killed here, and hardly since one was stopped.
 */
export function comparedWithPeer(own: Side, peer: PeerSide, stop: Stop | undefined, force: boolean): Answer {
  const [ours, theirs] = [own.term, 'problem' in peer ? 0 : (peer.term ?? 0)];
  if (theirs > ours) {
    const reason = `this side was superseded: its term is ${ours}, and the other side has served in term ${theirs}`;
    return {
      ...no(reason, "'syncpozo rejoin MASTER SLAVE' makes a slave of this side, and keeps what only it has"),
      isBeaten: true,
    };
  }
  if ('unreachable' in peer) {
    if (stop?.isClean)
      return yes(`the other side is out of reach, and this one was stopped cleanly (${peer.unreachable})`);
    if (force) return yes(`--force; the other side is out of reach: ${peer.unreachable}`);
    return no(
      `the other side is out of reach (${peer.unreachable}), and may have been promoted: ${stop?.why}`,
      `find out whether the other side serves. If you know that it does not, ${FORCE}`,
    );
  }
  if ('problem' in peer)
    return force
      ? yes(`--force; ${peer.problem}`)
      : no(peer.problem, `does the other side serve? If you know that it does not, ${FORCE}`);
  const both = own.role === 'master' ? peer.role === 'master' && theirs === ours : peer.role === 'plain';
  if (!both)
    return yes(
      ours > theirs
        ? `this side has served last, in term ${ours}`
        : `the other side does not serve: it is ${nameOf(peer)}`,
    );
  if (force) return yes(`--force; both sides may serve, by their roles`);
  const reason =
    own.role === 'master'
      ? `both sides were promoted, in term ${ours}: their histories have forked`
      : 'neither side is known to be a slave: nobody knows which of them serves';
  const hint =
    own.role === 'master'
      ? "'syncpozo compare' shows both histories: a person decides whose is kept, and rejoins the other side"
      : 'a first sync makes the other side a slave';
  return no(reason, `${hint}. ${FORCE}`);
}

function nameOf({ role }: Side): string {
  return role === 'plain' ? 'a plain file' : role === 'slave' ? 'a slave' : role;
}
