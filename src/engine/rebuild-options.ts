import { NOTHING_YET } from './chunk-table.js';
import type { Facts } from './facts.js';
import type { RebuildOptions } from './rebuild.js';

/** How a slave that was looked at is made anew. */
export function optionsOf(keepOld: boolean, facts: Facts): RebuildOptions {
  return {
    keepOld: keepOld ? { lastTid: newestOf(facts) } : undefined,
    mustReach: commonOf(facts),
    takeDamaged: false,
  };
}

/** The slave's newest transaction, by which its file is named when it is kept aside. */
function newestOf({ presence, parting, claim }: Facts): bigint {
  const seen = presence && 'newest' in presence ? presence.newest : parting?.onlyHere.last;
  return seen ?? claim?.tid ?? NOTHING_YET.tid;
}

/** The newest transaction that is known to be on both sides; undefined: none is known. */
function commonOf({ presence, parting }: Facts): bigint | undefined {
  if (presence?.kind === 'present') return presence.newest;
  return presence?.kind === 'packed-span' ? presence.common : parting?.common;
}
