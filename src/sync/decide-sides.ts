import type { Facts, RefusedLineage, RefusedPlan } from './facts.js';

/** What is decided by the roles of the two sides alone. */
export const ROW_OF_ROLES = 5;

const SUPERSEDED =
  'another side has been promoted since MASTER served: sync from that one. Only if MASTER is to be followed all the same, run with --full: it keeps the old file aside';

/** Checks the roles of both sides before their bytes are compared. */
export function decideSides({ standing, full }: Facts): RefusedPlan | undefined {
  if (standing.problem !== undefined) {
    const hint =
      'it says who may serve, and is not guessed at: restore it, or move it aside if you know that MASTER serves';
    return forked(ROW_OF_ROLES, 'role', standing.problem, hint);
  }
  if (standing.swapped) {
    const reason = 'MASTER is a slave itself, and SLAVE is not known to be one: are the two swapped?';
    return forked(
      ROW_OF_ROLES,
      'swapped',
      reason,
      "name the side that serves first; 'syncpozo compare MASTER SLAVE' shows both histories",
    );
  }
  if (standing.masterRole === 'rejoining') {
    const reason = 'MASTER is about to become a slave: a rejoin has begun there, and has not ended';
    return forked(
      ROW_OF_ROLES,
      'role',
      reason,
      'sync from the side that it rejoins, or run that rejoin again until it ends',
    );
  }
  if (standing.masterRole === 'superseded' && !full) {
    const reason = 'the master was superseded, by its role file: another side has served in a higher term';
    return forked(ROW_OF_ROLES, 'superseded', reason, SUPERSEDED);
  }
  if (standing.masterTerm < standing.slaveTerm && !full) {
    const reason = `the master was superseded: its term is ${standing.masterTerm}, this slave has seen term ${standing.slaveTerm}`;
    return forked(ROW_OF_ROLES, 'superseded', reason, SUPERSEDED);
  }
  return undefined;
}

export function forked(row: number, lineage: RefusedLineage, reason: string, hint: string): RefusedPlan {
  return { kind: 'forked', row, reason, hint, lineage };
}
