import { medianSeconds, type Series } from './statistics.js';

/** What was asked for, what was measured, and whether it is enough. */
export interface Target {
  readonly asked: string;
  readonly measured: string;
  readonly met: boolean;
}

/** Below this size starting up decides, and a ratio of throughputs says nothing. */
const LARGE = 1 << 30;

/** Targets that are about large files; none for a small one. */
export function ofLarge(bytes: number, targets: readonly Target[]): readonly Target[] {
  return bytes >= LARGE ? targets : [];
}

/** `ours` takes at most `ratio` times as long as `theirs`; no target where one of them did not run. */
export function atMost(series: readonly Series[], ours: string, ratio: number, theirs: string): Target[] {
  return comparing(series, ours, theirs, (our, their) => ({
    asked: `${ours}: at most ${ratio.toFixed(2)} times ${theirs}`,
    measured: `${(our / their).toFixed(2)} times`,
    met: our <= ratio * their,
  }));
}

/** `ours` is so many times faster than `theirs`. */
export function faster(series: readonly Series[], ours: string, times: number, theirs: string): Target[] {
  return comparing(series, ours, theirs, (our, their) => ({
    asked: `${ours}: ${times} times faster than ${theirs}`,
    measured: `${(their / our).toFixed(1)} times`,
    met: our * times <= their,
  }));
}

/** `ours` takes at most so many milliseconds more than `theirs`. */
export function addsAtMost(series: readonly Series[], ours: string, milliseconds: number, theirs: string): Target[] {
  return comparing(series, ours, theirs, (our, their) => ({
    asked: `${ours}: at most ${milliseconds} ms more than ${theirs}`,
    measured: `${(1000 * (our - their)).toFixed(0)} ms`,
    met: 1000 * (our - their) <= milliseconds,
  }));
}

/** The two differ by at most this share of the smaller one. */
export function withinShare(series: readonly Series[], one: string, share: number, other: string): Target[] {
  return comparing(series, one, other, (a, b) => ({
    asked: `${one}: as long as ${other} within ${100 * share} %`,
    measured: `${(a / b).toFixed(2)} times`,
    met: Math.max(a, b) <= (1 + share) * Math.min(a, b),
  }));
}

function comparing(
  series: readonly Series[],
  ours: string,
  theirs: string,
  compare: (our: number, their: number) => Target,
): Target[] {
  const [our, their] = [ours, theirs].map((name) => series.find((one) => one.name === name));
  return our && their ? [compare(medianSeconds(our), medianSeconds(their))] : [];
}
