import type { Dat, TornTail } from '../standby/dat.js';
import type { Damage, Rot } from './damage.js';
import type { Resume } from './resume.js';
import type { MasterEnd } from './tail.js';

/** Runs after which a torn tail that has not changed is damage. */
const TORN_RUNS = 3;

/** For how many runs, this one included, the master has ended in this torn tail. */
export function countTorn(end: { readonly position: number; readonly size: number }, dat: Dat | undefined): TornTail {
  const before = dat?.torn;
  const same = before?.position === end.position && before.size === end.size;
  return { position: end.position, size: end.size, runs: same ? Math.min(before.runs + 1, TORN_RUNS) : 1 };
}

/** The damage that the master's end is; undefined: none. */
export function damageOf(end: MasterEnd, torn: TornTail | undefined, resume: Resume): Damage | Rot | undefined {
  if (end.kind === 'damaged') return end.damage;
  if (!torn || torn.runs < TORN_RUNS) return undefined;
  const message = `the transaction that begins here is not complete, and has not changed for ${torn.runs} runs`;
  return {
    kind: 'damaged',
    position: torn.position,
    at: torn.position,
    tid: resume.tid,
    rule: 'transaction-length',
    message,
  };
}
