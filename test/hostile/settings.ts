/** The seed of everything generated here: the same files every time, others with SYNCPOZO_SEED. */
export const hostileSeed = Number(process.env.SYNCPOZO_SEED ?? '20260101');

/** The settings of fast-check: the number of runs, and the seed, which it also prints after a failure. */
export function runs(numRuns: number) {
  return { seed: hostileSeed | 0, numRuns, includeErrorInReport: true } as const;
}
