import { basename } from 'node:path';
import { readHistory } from '../events/history.js';
import { factsOfPath } from '../io/facts.js';
import { forShell } from '../report/quote.js';
import { fileOf, PathMistake, type Side, type SlavePaths } from '../standby/paths.js';
import { lastTerm, type RoleFacts, seenTerm } from '../standby/role.js';
import { isUnused } from '../takeover/demote.js';
import type { TermOfMaster } from './loss.js';

interface Refused {
  readonly reason: string;
  readonly hint: string;
}

export const UNKNOWN: Refused = {
  reason: 'the term of MASTER is not known, so none above it can begin',
  hint: "is its mount there, and its role file readable? Without them, 'syncpozo demote' and 'syncpozo promote' begin the next term of this side, which may be lower than MASTER's",
};

/** What a promotion asks the other side for, and what a person has decided about it. */
export interface AgainstMaster {
  readonly file?: string | undefined;
  /** From its name alone: a takeover does not wait for the mount of a dead master. */
  readonly master?: Side | undefined;
  /** Must return in time, even if the master hangs. undefined: not known. */
  readonly termOfMaster?: (fileName: string) => Promise<TermOfMaster | undefined>;
  /** What it has answered before. */
  readonly theirs?: TermOfMaster;
  /** A master that has served in a term of which this side has nothing does not forbid it. */
  readonly force?: boolean;
  /** As `force`; besides, this side may have been promoted, or superseded, itself. */
  readonly supersede?: boolean;
}

/**
 * The term that a promotion begins: above those of this side, of a master that can be asked, and of one that has superseded
 * this side, so that a master which has served learns that it was superseded. Refused where that has served in a term of which this side has nothing, unless a
 * person has decided otherwise. Such a person decides against a master whose term is known, and stays so until now.
 */
export async function nextTerm(
  paths: SlavePaths,
  before: RoleFacts,
  options: AgainstMaster,
): Promise<{ readonly term: number } | Refused> {
  const ours = seenTerm(before);
  const asked = await termOfMaster(paths, options);
  if (!asked && options.supersede) return UNKNOWN;
  const theirs = Math.max(asked?.term ?? 0, options.theirs?.term ?? 0);
  if (theirs <= ours || options.force || options.supersede || !options.master)
    return { term: Math.max(lastTerm(before), theirs, heardTerm(paths)) + 1 };
  const path = fileOf(options.master, basename(paths.data));
  return {
    reason: `${path} has served in term ${theirs}, and this side has followed up to term ${ours}: it lacks what was committed since`,
    hint: `'syncpozo rejoin ${forShell(path)} ${forShell(paths.data)}' makes a slave of it, which can be promoted. --force promotes it all the same, and forks the histories`,
  };
}

/** The highest term in which another side is reported to have superseded this one: a demotion forgets the mark. 0: none. */
function heardTerm(paths: SlavePaths): number {
  const terms = readHistory(paths).events.map(({ name, facts }) => name === 'superseded' && facts['peerTerm']);
  return Math.max(0, ...terms.filter((term): term is number => Number.isSafeInteger(term)));
}

/** Whether a side that was promoted supersedes the master already. */
export function isAhead(own: RoleFacts, theirs: TermOfMaster | undefined): boolean {
  if (!theirs) return false;
  const ours = seenTerm(own);
  return theirs.term < ours || (theirs.term === ours && !theirs.isPromoted);
}

/** Asks the master, which must not be this very side where a person decides against it. */
export async function termOfMaster(paths: SlavePaths, options: AgainstMaster): Promise<TermOfMaster | undefined> {
  const asked = await options.termOfMaster?.(options.file ?? basename(paths.data));
  const own = asked?.file && options.supersede ? factsOfPath(paths.data) : undefined;
  if (own && own.device === asked?.file?.device && own.inode === asked.file.inode)
    throw new PathMistake('SLAVE and MASTER are the same file', 'MASTER is the other side, as it is mounted here');
  return asked;
}

/** The facts of a side that was promoted, with whether anything was committed in its last term. */
export async function withUnused(paths: SlavePaths, facts: RoleFacts): Promise<RoleFacts> {
  const last = facts.terms.at(-1);
  if (facts.role !== 'master' || !last || !(await isUnused(paths.data, last))) return facts;
  return { ...facts, terms: [...facts.terms.slice(0, -1), { ...last, unused: true }] };
}
