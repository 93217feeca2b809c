import { medianSeconds, peak, range, type Series } from './statistics.js';

/** A target, the measured value, and whether the target is met. */
export interface Target {
  readonly asked: string;
  readonly measured: string;
  readonly met: boolean;
}

/** Below this size startup dominates, and a ratio of throughputs means nothing. */
const LARGE = 1 << 30;
const MIB = 1 << 20;
const MEMORY = 200 * MIB;
const BYTES_AN_OBJECT = 12;

/** Targets for large files; none for a small one. */
export function ofLarge(bytes: number, targets: readonly Target[]): readonly Target[] {
  return bytes >= LARGE ? targets : [];
}

/** `ours` takes at most `ratio` times as long as `theirs`; no target if one of them did not run. */
export function atMost(series: readonly Series[], ours: string, ratio: number, theirs: string): Target[] {
  return comparing(series, ours, theirs, {
    asked: `${ours}: at most ${ratio.toFixed(2)} times ${theirs}`,
    measured: (our, their) => `${(our / their).toFixed(2)} times`,
    met: (our, their) => our <= ratio * their,
  });
}

/** `ours` is `times` times faster than `theirs`. */
export function faster(series: readonly Series[], ours: string, times: number, theirs: string): Target[] {
  return comparing(series, ours, theirs, {
    asked: `${ours}: ${times} times faster than ${theirs}`,
    measured: (our, their) => `${(their / our).toFixed(1)} times`,
    met: (our, their) => our * times <= their,
  });
}

/** Building an index takes at most 200 MiB of memory and 12 bytes per object; no target if memory was not measured. */
export function indexMemory(series: readonly Series[], objects: number): Target[] {
  const peaks = series.filter(({ name }) => name === 'index').flatMap((one) => peak(one) ?? []);
  const allowed = MEMORY + BYTES_AN_OBJECT * objects;
  return peaks.map((most) => ({
    asked: `index: at most 200 MiB and ${BYTES_AN_OBJECT} bytes an object (${(allowed / MIB).toFixed(0)} MiB)`,
    measured: `${(most / MIB).toFixed(0)} MiB`,
    met: most <= allowed,
  }));
}

/** `ours` takes at most `milliseconds` more than `theirs`. */
export function addsAtMost(series: readonly Series[], ours: string, milliseconds: number, theirs: string): Target[] {
  return comparing(series, ours, theirs, {
    asked: `${ours}: at most ${milliseconds} ms more than ${theirs}`,
    measured: (our, their) => `${(1000 * (our - their)).toFixed(0)} ms`,
    met: (our, their) => 1000 * (our - their) <= milliseconds,
  });
}

/** The two differ by at most this share of the smaller one. */
export function withinShare(series: readonly Series[], one: string, share: number, other: string): Target[] {
  return comparing(series, one, other, {
    asked: `${one}: as long as ${other} within ${100 * share} %`,
    measured: (a, b) => `${(a / b).toFixed(2)} times`,
    met: (a, b) => Math.max(a, b) <= (1 + share) * Math.min(a, b),
  });
}

interface Comparison {
  readonly asked: string;
  readonly measured: (our: number, their: number) => string;
  readonly met: (our: number, their: number) => boolean;
}

/** Medians decide; the best runs, which other load affects least, are reported as well. */
function comparing(series: readonly Series[], ours: string, theirs: string, comparison: Comparison): Target[] {
  const [our, their] = [ours, theirs].map((name) => series.find((one) => one.name === name));
  if (!our || !their) return [];
  const { asked, measured, met } = comparison;
  const [ourMedian, theirMedian] = [medianSeconds(our), medianSeconds(their)];
  const [[ourBest], [theirBest]] = [range(our), range(their)];
  const text = `${measured(ourMedian, theirMedian)} (best runs: ${measured(ourBest, theirBest)})`;
  return [{ asked, measured: text, met: met(ourMedian, theirMedian) }];
}
