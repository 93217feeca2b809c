import { resolve } from 'node:path';
import type { SlaveEvent } from '../events/event.js';
import { factsOfPath } from '../io/facts.js';
import { isOnRemoteMount } from '../io/mount.js';
import { EXIT, type ExitCode } from '../round/exit.js';
import { supersede } from '../round/supersede.js';
import { elsewhere } from '../standby/elsewhere.js';
import { PathMistake, type SlavePaths } from '../standby/paths.js';
import { PLAIN_SLAVE } from '../standby/role.js';
import { roleOf } from '../standby/role-of.js';
import { lastStop, type Stop } from '../takeover/clean-stop.js';
import { type Answer, comparedWithPeer, type PeerSide, refusedByRole, type Side } from '../takeover/may-serve.js';
import { type Peer, sideOfFile } from './side-of-file.js';

/** The JSON object of `syncpozo may-serve --json`. Fields are only ever added. null: not known, or none. */
export interface MayServeResult {
  readonly data: string;
  readonly mayServe: boolean;
  readonly reason: string;
  readonly hint: string | null;
  readonly exitCode: ExitCode;
  readonly role: Side['role'] | 'unreadable';
  readonly term: number | null;
  /** null: it was not asked. */
  readonly peer: {
    readonly path: string;
    readonly role: Side['role'] | 'unreadable' | 'unreachable';
    readonly term: number | null;
    readonly problem: string | null;
  } | null;
  /** Whether the last server here was stopped cleanly; null: that did not matter. */
  readonly cleanStop: boolean | null;
}

export interface MayServeRequest {
  readonly paths: SlavePaths;
  /** As given. */
  readonly peer: string | undefined;
  readonly ask: (peer: string) => Promise<Peer>;
  readonly force: boolean;
  readonly storage: string | undefined;
}

/** Whether a server may be started on a file, and the events of the call. Throws mistakes of the operator. */
export async function mayServe({
  paths,
  peer: given,
  ask,
  force,
  storage,
}: MayServeRequest): Promise<{ readonly result: MayServeResult; readonly events: readonly SlaveEvent[] }> {
  if (given === '') throw new PathMistake('PEER is empty', 'is a variable of a script not set?');
  if (given !== undefined && !force) refuseMistakes(paths, given);
  const own = sideOfFile(paths);
  const refused = refusedByRole(own) ?? (force ? undefined : refusedWithoutData(paths));
  let peer: Peer | undefined;
  let stop: Stop | undefined;
  let answer: Answer = refused ?? { mayServe: true, reason: 'its role lets it serve, and no other side was named' };
  let events: readonly SlaveEvent[] = [];
  if (!refused && given !== undefined && !('problem' in own)) {
    peer = await ask(given);
    if (peer.file) refuseSameFile(paths, peer.file);
    if ('unreachable' in peer.side) stop = await stopOf(paths);
    answer = comparedWithPeer(own, peer.side, stop, force);
    if (answer.isBeaten && 'term' in peer.side && peer.side.term !== undefined) {
      const { reason, hint, event } = supersede(paths, peer.path, own.term, peer.side.term, storage);
      answer = { ...answer, reason, hint };
      events = event ? [event] : [];
    }
  }
  const { mayServe, reason, hint } = answer;
  const result: MayServeResult = {
    data: paths.data,
    mayServe,
    reason,
    hint: hint ?? null,
    exitCode: mayServe ? EXIT.ok : EXIT.refused,
    ...namesOf(own),
    peer: peer ? peerOf(peer) : null,
    cleanStop: stop?.isClean ?? null,
  };
  return { result, events };
}

function stopOf(paths: SlavePaths): Promise<Stop> {
  const known = roleOf(paths);
  return lastStop(paths, 'facts' in known ? known.facts : PLAIN_SLAVE);
}

function refusedWithoutData({ data }: SlavePaths): Answer | undefined {
  if (factsOfPath(data)?.size) return undefined;
  const hint = 'is its disk mounted? The very first start of a new site needs --force';
  return { mayServe: false, reason: `${data} is missing or empty: ZEO would serve an empty database`, hint };
}

function refuseMistakes({ data, directory }: SlavePaths, given: string): void {
  const path = resolve(given);
  const other = elsewhere(given);
  if (other && factsOfPath(resolve(other.first)) === undefined)
    throw new PathMistake(`${given} is not a path of this machine`, other.mountHint);
  if (path === data || path === directory) throw sameFile();
  if (isOnRemoteMount(data) && !isOnRemoteMount(path))
    throw new PathMistake(
      `${data} is on a network mount, and ${path} is not: are the two swapped?`,
      'DATA is what this host is about to serve, PEER the other side',
    );
}

function refuseSameFile({ data }: SlavePaths, peer: NonNullable<Peer['file']>): void {
  const own = factsOfPath(data);
  if (own?.device === peer.device && own.inode === peer.inode) throw sameFile();
}

function sameFile(): PathMistake {
  return new PathMistake('DATA and PEER are the same file', 'PEER is the other side, as it is mounted here');
}

function namesOf(side: PeerSide): { readonly role: Side['role'] | 'unreadable'; readonly term: number | null } {
  return 'role' in side ? { role: side.role, term: side.term } : { role: 'unreadable', term: null };
}

function peerOf({ path, side }: Peer): MayServeResult['peer'] {
  const names = 'unreachable' in side ? ({ role: 'unreachable', term: null } as const) : namesOf(side);
  return { path, ...names, problem: problemOf(side) };
}

function problemOf(side: PeerSide): string | null {
  return 'unreachable' in side ? side.unreachable : 'problem' in side ? side.problem : null;
}
