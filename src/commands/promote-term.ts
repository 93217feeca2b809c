import { basename } from 'node:path';
import { factsOfPath } from '../io/facts.js';
import { forShell } from '../report/quote.js';
import { EXIT, type ExitCode } from '../round/exit.js';
import { fileOf, type Side, type SlavePaths } from '../standby/paths.js';
import { lastTerm, type RoleFacts, seenTerm } from '../standby/role.js';
import { roleOf } from '../standby/role-of.js';
import { demoteUnderLock } from './demote.js';
import type { TermOfMaster } from './loss.js';

interface Refused {
  readonly reason: string;
  readonly hint: string | null;
}

const UNKNOWN: Refused = {
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
  /** A master that has served in a term of which this side has nothing does not forbid it. */
  readonly force?: boolean;
  /** As `force`; besides, this side may have been promoted, or superseded, itself. */
  readonly supersede?: boolean;
}

/**
 * The term that a promotion begins: above those of this side, and of a master that can be asked, so that a master which has
 * served learns that it was superseded. Refused where that has served in a term of which this side has nothing, unless a
 * person has decided otherwise.
 */
export async function nextTerm(
  paths: SlavePaths,
  before: RoleFacts,
  options: AgainstMaster,
): Promise<{ readonly term: number } | Refused> {
  const ours = seenTerm(before);
  const asked = await ask(paths, options);
  if (!asked && options.supersede && options.termOfMaster) return UNKNOWN;
  const theirs = asked?.term ?? 0;
  if (theirs <= ours || options.force || options.supersede || !options.master)
    return { term: Math.max(lastTerm(before), theirs) + 1 };
  const path = fileOf(options.master, basename(paths.data));
  return {
    reason: `${path} has served in term ${theirs}, and this side has followed up to term ${ours}: it lacks what was committed since`,
    hint: `'syncpozo rejoin ${forShell(path)} ${forShell(paths.data)}' makes a slave of it, which can be promoted. --force promotes it all the same, and forks the histories`,
  };
}

/**
 * A person decides for this side, which was promoted, or superseded, and against a master whose term is not lower: it
 * becomes a slave, as by `demote`, which can be promoted into a newer term. Nothing is done where it is a slave, or is
 * ahead of the master already. If the process is killed behind that, the next call finds a slave. Returns why it cannot be.
 */
export async function reopen(
  paths: SlavePaths,
  options: AgainstMaster,
): Promise<(Refused & { readonly exitCode: ExitCode }) | undefined> {
  const theirs = await ask(paths, options);
  if (!theirs) return { exitCode: EXIT.refused, ...UNKNOWN };
  const known = roleOf(paths);
  if ('problem' in known || !factsOfPath(paths.data)?.size) return undefined;
  const { role } = known.facts;
  const isAhead = theirs.term < seenTerm(known.facts) || (theirs.term === seenTerm(known.facts) && !theirs.isPromoted);
  if (role === 'slave' || role === 'rejoining' || (role === 'master' && isAhead)) return undefined;
  const { exitCode, message, hint } = await demoteUnderLock(paths);
  return exitCode === EXIT.ok ? undefined : { exitCode, reason: message, hint };
}

async function ask(paths: SlavePaths, { termOfMaster, file }: AgainstMaster): Promise<TermOfMaster | undefined> {
  return termOfMaster?.(file ?? basename(paths.data));
}
