import { drawnSeed, fixedSeed, isCampaign } from '../support/seed.js';

/** The seed of everything generated here: in `npm test` the same files every time. */
export const hostileSeed = Number(isCampaign ? drawnSeed : fixedSeed(20_260_101));

/** The settings of fast-check: the number of runs, and the seed, which it also prints after a failure. */
export function runs(numRuns: number) {
  return { seed: hostileSeed | 0, numRuns, includeErrorInReport: true } as const;
}
