import type { Measurement } from './row.js';
import { medianSeconds, peak, type Series } from './statistics.js';
import type { Target } from './target.js';

/** Time a byte may grow by so much from the smallest size that outweighs starting up to the largest: linear. */
const LINEAR = 1.25;
/** A cost that does not depend on the size may differ by so much. */
const FLAT = 1.1;
const OUTWEIGHS_STARTING = 512 << 20;
const MIB = 1 << 20;
const MOST_MEMORY = 200 * MIB;

/** What only several sizes together can show: how the cost grows, and what memory it takes. */
export function acrossSizes(measurements: readonly Measurement[]): Target[] {
  const media = [...new Set(measurements.map(({ medium }) => medium))];
  return media.flatMap((medium) => {
    const here = measurements.filter((one) => one.medium === medium).sort((a, b) => a.bytes - b.bytes);
    return [
      ...linear(of(here, 'full-copy', 'sync'), `${medium}: full copy`),
      ...linear(of(here, 'verify', 'verify'), `${medium}: verify`),
      ...flat(of(here, 'nothing-new', 'sync'), `${medium}: nothing new`),
      ...flat(of(here, 'append', 'sync of 1 MiB'), `${medium}: append of 1 MiB`),
      ...memory(of(here, 'full-copy', 'sync'), `${medium}: full copy`),
      ...memory(of(here, 'verify', 'verify'), `${medium}: verify`),
    ];
  });
}

interface Sized {
  readonly bytes: number;
  readonly series: Series;
}

function of(measurements: readonly Measurement[], row: string, name: string): Sized[] {
  return measurements
    .filter((one) => one.row === row)
    .flatMap(({ bytes, series }) => series.filter((one) => one.name === name).map((one) => ({ bytes, series: one })));
}

function linear(sizes: readonly Sized[], what: string): Target[] {
  const long = sizes.filter(({ bytes }) => bytes >= OUTWEIGHS_STARTING);
  return compared(
    long,
    ({ bytes, series }) => medianSeconds(series) / bytes,
    (growth) => ({
      asked: `${what}: time a byte at most ${LINEAR} times that of the smallest from 512 MiB on`,
      measured: `${growth.toFixed(2)} times`,
      met: growth <= LINEAR,
    }),
  );
}

function flat(sizes: readonly Sized[], what: string): Target[] {
  return compared(
    sizes,
    ({ series }) => medianSeconds(series),
    (growth) => ({
      asked: `${what}: at most ${FLAT} times that of the smallest size`,
      measured: `${growth.toFixed(2)} times`,
      met: growth <= FLAT,
    }),
  );
}

function memory(sizes: readonly Sized[], what: string): Target[] {
  const long = sizes.filter(({ bytes }) => bytes >= OUTWEIGHS_STARTING);
  const peaks = long.flatMap(({ series }) => peak(series) ?? []);
  const [most, last, first] = [Math.max(...peaks), peaks.at(-1), peaks[0]];
  if (first === undefined || last === undefined) return [];
  return [
    {
      asked: `${what}: at most 200 MiB of memory`,
      measured: `${(most / MIB).toFixed(0)} MiB`,
      met: most <= MOST_MEMORY,
    },
    ...(peaks.length < 2
      ? []
      : [
          {
            asked: `${what}: memory at the largest size at most ${FLAT} times that at 512 MiB`,
            measured: `${(last / first).toFixed(2)} times`,
            met: last <= FLAT * first,
          },
        ]),
  ];
}

function compared(sizes: readonly Sized[], cost: (size: Sized) => number, judge: (growth: number) => Target): Target[] {
  const [first, last] = [sizes[0], sizes.at(-1)];
  return first && last && first !== last ? [judge(cost(last) / cost(first))] : [];
}
