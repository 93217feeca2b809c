/** From the worst to the best: what a person has to look into comes before what the next run may resolve. */
const WORST_FIRST = [
  4, // damaged
  3, // refused
  5, // in use
  2, // usage
  1, // a fault outside the data
] as const;

/** The exit status for several storages: the worst of theirs. */
export function worstExit(codes: readonly number[]): number {
  return WORST_FIRST.find((code) => codes.includes(code)) ?? 0;
}
