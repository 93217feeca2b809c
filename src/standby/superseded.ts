import { IoFault } from '../io/fault.js';
import { ownTemporaryOf } from '../io/replace.js';
import { readDatFile } from './dat-file.js';
import { Lock } from './lock.js';
import { lastInStep } from './outcome-file.js';
import { PathMistake, type SlavePaths } from './paths.js';
import { seenTerm } from './role.js';
import { publishRole, readRoleFile } from './role-file.js';
import { roleOf } from './role-of.js';

/** Whether the role file says that another side has served in a higher term than this one. */
export function isSuperseded(paths: Pick<SlavePaths, 'role'>): boolean {
  const file = readRoleFile(paths);
  return 'facts' in file && file.facts.role === 'superseded';
}

/**
 * The highest term of a side that serves, or may: one that was promoted, or a plain one, 0, which syncpozo has never made
 * a slave. undefined for all others, and where the role is unknown.
 */
export function termOfServing(paths: Pick<SlavePaths, 'role' | 'dat' | 'freshDat'>): number | undefined {
  const known = roleOf(paths);
  if ('problem' in known) return undefined;
  if (known.from !== 'nothing') return known.facts.role === 'master' ? seenTerm(known.facts) : undefined;
  return hasDat(paths) ? undefined : 0;
}

/** Whether nothing says that syncpozo has ever made a slave of this file, or has promoted it. */
export function isPlain(paths: Pick<SlavePaths, 'role' | 'dat' | 'freshDat' | 'outcome'>): boolean {
  const known = roleOf(paths);
  return 'facts' in known && known.from === 'nothing' && !hasDat(paths) && lastInStep(paths) === undefined;
}

/** Whether anything beside the file says that it is a slave, or a copy that is being made. */
export function hasDat({ dat, freshDat }: Pick<SlavePaths, 'dat' | 'freshDat'>): boolean {
  return [dat, freshDat].some((path) => !('missing' in readDatFile({ dat: path })));
}

export type Marked =
  /** It says so now, and is durable. */
  { readonly kind: 'marked' } | { readonly kind: 'not marked'; readonly why: string };

/**
 * Marks a side that serves, or may, as superseded: `term`, in which another side has served, is higher than its own. What
 * its role file says of terms stays.
 *
 * Invariants: the mark is written under the lock, or while a program that is no syncpozo, a ZEO server, holds that: nothing
 * else writes the role then. The role is read again at that time.
 */
export function markSuperseded(paths: SlavePaths, term: number): Marked {
  try {
    const outcome = Lock.take(paths.lock, paths.directoryFacts);
    if (outcome.kind === 'syncpozo') return { kind: 'not marked', why: 'another syncpozo is at work there' };
    try {
      return mark(paths, term);
    } finally {
      if (outcome.kind === 'held') outcome.lock.release();
    }
  } catch (error) {
    if (!(error instanceof IoFault || error instanceof PathMistake)) throw error;
    return { kind: 'not marked', why: error.message };
  }
}

function mark(paths: SlavePaths, term: number): Marked {
  const own = termOfServing(paths);
  const known = roleOf(paths);
  if (own === undefined || own >= term || 'problem' in known)
    return isSuperseded(paths) ? { kind: 'marked' } : { kind: 'not marked', why: 'its role has changed meanwhile' };
  const { promotion: _, ...stays } = known.facts;
  publishRole(paths, { ...stays, role: 'superseded' }, ownTemporaryOf(paths.role));
  return { kind: 'marked' };
}
