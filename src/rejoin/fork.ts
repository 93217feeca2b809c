import type { RoleFacts, TermLine } from '../standby/role.js';

/**
 * Where the histories of two sides fork at the latest, by their term lines: the smallest position among the terms that only one
 * of them knows. A term in which nothing was committed is no fork. undefined: their terms do not show one.
 */
export function forkLine(
  master: Pick<RoleFacts, 'terms'> | undefined,
  slave: Pick<RoleFacts, 'terms'>,
): TermLine | undefined {
  const theirs = master?.terms ?? [];
  const ours = slave.terms;
  const differing = [...lacking(theirs, ours), ...lacking(ours, theirs)].filter(({ unused }) => !unused);
  return differing.reduce<TermLine | undefined>(
    (first, line) => (first && first.position <= line.position ? first : line),
    undefined,
  );
}

/** The lines of `some` that are not among `others`. That a term was not used may be recorded on one side only. */
function lacking(some: readonly TermLine[], others: readonly TermLine[]): TermLine[] {
  return some.filter((line) => !others.some((other) => isSame(line, other)));
}

function isSame(a: TermLine, b: TermLine): boolean {
  return a.term === b.term && a.position === b.position && a.tid === b.tid && a.at === b.at && a.host === b.host;
}
