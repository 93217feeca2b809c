/** The seed of all that is generated here: the same files every time, others with SYNCPOZO_SEED. */
export const hostileSeed = Number(process.env.SYNCPOZO_SEED ?? '20260101');

/** What fast-check is told: so many runs, and the seed, which it prints with a failure as well. */
export function runs(numRuns: number) {
  return { seed: hostileSeed | 0, numRuns, includeErrorInReport: true } as const;
}
