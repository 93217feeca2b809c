import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { termOf } from '../../src/commands/loss.js';
import { type PromoteOptions, runPromote } from '../../src/commands/promote.js';
import { readPeer } from '../../src/commands/side-of-file.js';
import type { PromotionResult } from '../../src/report/promotion.js';
import { masterSideByName } from '../../src/standby/paths.js';
import { formatRole, parseRole, type RoleFacts } from '../../src/standby/role.js';
import type { Pair } from './pair.js';
import { Site } from './site.js';

export const OF_WINNER = 'own of the winner';
export const OF_LOSER = 'of the loser';

/** Two directories, both of which have served at the same time. */
export interface Split {
  readonly winner: string;
  readonly loser: string;
}

export const dataOf = (side: string): string => join(side, 'Data.fs');
export const roleTextOf = (side: string): string => readFileSync(`${dataOf(side)}.role`, 'utf8');
export const statusOf = (side: string): string => `${side}.status`;

/** A promotion in this process, without hooks. */
export function promoteHere(side: string, more: Partial<PromoteOptions> = {}): Promise<PromotionResult> {
  return runPromote({ slave: side, statusFile: statusOf(side), graceSeconds: 1, verify: false, ...more });
}

/** As `promote --supersede --catch-up 0`, without a process that reads the loser. */
export function decide({ winner, loser }: Split, more: Partial<PromoteOptions> = {}): Promise<PromotionResult> {
  return promoteHere(winner, {
    supersede: true,
    master: masterSideByName(loser, winner, undefined),
    termOfMaster: async (name) => termOf(await readPeer(loser, name)),
    ...more,
  });
}

export function factsOfRole(side: string): RoleFacts {
  const parsed = parseRole(roleTextOf(side));
  assert.ok('facts' in parsed);
  return parsed.facts;
}

/** Its one term gets another number, as if it had been promoted again and again. */
export function inTerm(side: string, term: number): void {
  const facts = factsOfRole(side);
  const terms = facts.terms.map((line) => ({ ...line, term }));
  writeFileSync(`${dataOf(side)}.role`, formatRole({ ...facts, terms }));
}

/** Both sides of a pair serve; the loser in the higher one of two terms. The winner is the master at first, or else the slave. */
export async function split(
  pair: Pair,
  winnerIs: 'master' | 'slave',
  terms: readonly [number, number] = [1, 5],
): Promise<Split> {
  pair.synced();
  // No program has the master's file open any more.
  pair.site.close();
  const [winner, loser] = winnerIs === 'master' ? [pair.master, pair.slave] : [pair.slave, pair.master];
  for (const [side, term, text] of [[loser, terms[1], OF_LOSER] as const, [winner, terms[0], OF_WINNER] as const]) {
    assert.equal((await promoteHere(side)).promoted, true);
    inTerm(side, term);
    commitTo(pair, side, text);
  }
  return { winner, loser };
}

export function commitTo(pair: Pair, side: string, text: string): void {
  const site = Site.open(dataOf(side), { clock: pair.clock });
  site.commit(site.pages(new Map([[2, text]])));
  site.close();
}
