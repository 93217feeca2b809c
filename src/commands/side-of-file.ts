import { basename, resolve } from 'node:path';
import { outputInTime } from '../io/child.js';
import { factsBehindPath } from '../io/facts.js';
import { IoFault } from '../io/fault.js';
import { answersInTime } from '../io/mount.js';
import { masterPath, type SlavePaths } from '../standby/paths.js';
import { seenTerm } from '../standby/role.js';
import { roleOf } from '../standby/role-of.js';
import { hasDat } from '../standby/superseded.js';
import type { OwnSide, PeerSide } from '../takeover/may-serve.js';

/** A side by the files beside its Data.fs. */
export function sideOfFile(paths: Pick<SlavePaths, 'role' | 'dat' | 'freshDat'>): OwnSide {
  try {
    const known = roleOf(paths);
    if ('problem' in known) return { problem: known.problem };
    if (known.from === 'nothing') return { role: hasDat(paths) ? 'slave' : 'plain', term: 0 };
    return { role: known.facts.role, term: seenTerm(known.facts) };
  } catch (error) {
    if (error instanceof IoFault) return { problem: error.message };
    throw error;
  }
}

/** The other side, and its file: undefined where that cannot be read. */
export interface Peer {
  /** Absolute. */
  readonly path: string;
  readonly file: { readonly device: string; readonly inode: string } | undefined;
  readonly side: PeerSide;
}

/**
 * Reads the other side, and may hang in its mount: for a child process. A directory without a Data.fs is a mount point that
 * nothing is mounted on, as a rule: it says nothing about the other side.
 */
export async function readPeer(given: string, fileName: string | undefined): Promise<Peer> {
  const path = await masterPath(given, fileName);
  const unreachable = (why: string): Peer => ({ path, file: undefined, side: { unreachable: why } });
  try {
    const facts = await factsBehindPath(path);
    const side = sideOfFile({ role: `${path}.role`, dat: `${path}.dat`, freshDat: `${path}.new.dat` });
    if (!facts?.size) {
      // Where it has served in a term, that stays true while its data are moved or restored.
      const term = 'term' in side ? { term: side.term } : {};
      return { path, file: undefined, side: { unreachable: `${path} is missing or empty; is it mounted?`, ...term } };
    }
    const { device, inode } = facts;
    return { path, file: { device, inode }, side };
  } catch (error) {
    if (!(error instanceof IoFault)) throw error;
    return unreachable(error.message);
  }
}

/** Behind the mount's answer: a process of its own that starts on a busy machine. */
const CHILD_SECONDS = 20;

/** Asks a child process, which can be abandoned, for the other side. */
export async function askPeer(
  program: string,
  given: string,
  { data }: Pick<SlavePaths, 'data'>,
  patienceSeconds: number,
): Promise<Peer> {
  const path = resolve(given);
  const unreachable = (why: string): Peer => ({ path, file: undefined, side: { unreachable: why } });
  if (!(await answersInTime(path, patienceSeconds)))
    return unreachable(`the mount of ${path} has not answered for ${patienceSeconds} s`);
  const args = [program, 'may-serve', path, '--as-peer', '--file', basename(data), '--json'];
  const output = await outputInTime(process.execPath, args, (patienceSeconds + CHILD_SECONDS) * 1000);
  return output === undefined ? unreachable(`${path} cannot be read`) : (JSON.parse(output) as Peer);
}
