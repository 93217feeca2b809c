/** One timed process. */
export interface Timing {
  readonly seconds: number;
  /**
   * Of all its threads, in user and system mode: other load affects it less than the elapsed time. undefined without
   * time(1).
   */
  readonly cpuSeconds: number | undefined;
  /** Peak memory; undefined without time(1). */
  readonly peakBytes: number | undefined;
}

/** All runs of one contender. */
export interface Series {
  readonly name: string;
  readonly timings: readonly Timing[];
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.ceil(sorted.length / 2) - 1];
  if (upper === undefined || lower === undefined) throw new RangeError('no values');
  return (lower + upper) / 2;
}

export function medianSeconds({ timings }: Series): number {
  return median(timings.map(({ seconds }) => seconds));
}

/** The shortest and the longest run, in seconds. */
export function range({ timings }: Series): readonly [number, number] {
  const seconds = timings.map((timing) => timing.seconds);
  return [Math.min(...seconds), Math.max(...seconds)];
}

/** Processor time, in seconds. */
export function medianCpu({ timings }: Series): number | undefined {
  const known = timings.flatMap(({ cpuSeconds }) => cpuSeconds ?? []);
  return known.length === 0 ? undefined : median(known);
}

/** The highest peak memory of any run, in bytes. */
export function peak({ timings }: Series): number | undefined {
  const known = timings.flatMap(({ peakBytes }) => peakBytes ?? []);
  return known.length === 0 ? undefined : Math.max(...known);
}
