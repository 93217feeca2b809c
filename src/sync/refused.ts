import type { Replaced } from '../lineage/judge-copy.js';
import { rotIn, type Verdict } from '../lineage/verdict.js';

/**
 * Whether to swap nothing. Bytes that differ in the same record never replace the slave's, whoever requests it: they
 * changed on the master, or nobody knows on which side.
 */
export function isRefused(verdict: Verdict, { forced, damageReported }: RefusalFacts): boolean {
  const { lineage, own } = verdict;
  if (!forced) return own || (lineage !== 'packed' && lineage !== 'equal' && lineage !== 'behind');
  if (lineage === 'rotten' || (damageReported && hidesRot(verdict))) return true;
  return lineage === 'forked' && rotIn(verdict) !== undefined;
}

/** A piece of the slave cannot be read, so the master's bytes in its place are compared with nothing. */
export function hidesRot({ findings }: Verdict): boolean {
  return findings.unread.length > 0;
}

type RefusalFacts = Pick<Replaced, 'forced' | 'damageReported'>;
export const NOT_FORCED: RefusalFacts = { forced: false, damageReported: false };
