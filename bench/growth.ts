import type { Measurement } from './row.js';
import type { Medium } from './scene.js';
import { medianSeconds, peak, type Series } from './statistics.js';
import type { Target } from './target.js';

/**
 * Limit for the growth of our time relative to the peer's, from the smallest size that outweighs startup to the
 * largest. The peer's times are linear, so the comparison cancels out a machine that was slower at one size than at
 * another.
 */
const LINEAR = 1.25;
/** Limit for the memory at the largest size, relative to the smallest. */
const SAME = 1.1;
const OUTWEIGHS_STARTING = 512 << 20;
const MIB = 1 << 20;
const MOST_MEMORY = 200 * MIB;
/** The peer that copies the same amount, as durably as the medium requires. */
const COPY: Readonly<Record<Medium, string>> = { memory: 'cp', disk: 'cp and sync', network: 'cp, 0 ms' };

/** Targets across several sizes: how time and memory grow. */
export function acrossSizes(measurements: readonly Measurement[]): Target[] {
  const media = [...new Set(measurements.map(({ medium }) => medium))];
  return media.flatMap((medium) => {
    const here = measurements.filter((one) => one.medium === medium).sort((a, b) => a.bytes - b.bytes);
    return [
      ...linear(of(here, 'full-copy', 'sync'), of(here, 'full-copy', COPY[medium]), `${medium}: full copy`),
      ...linear(of(here, 'verify', 'verify'), of(here, 'verify', 'xxhsum -H1'), `${medium}: verify`),
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

function linear(ours: readonly Sized[], theirs: readonly Sized[], what: string): Target[] {
  const ratios = ours
    .filter(({ bytes }) => bytes >= OUTWEIGHS_STARTING)
    .flatMap(({ bytes, series }) => {
      const peer = theirs.find((one) => one.bytes === bytes);
      return peer ? [medianSeconds(series) / medianSeconds(peer.series)] : [];
    });
  const [first, last] = [ratios[0], ratios.at(-1)];
  if (first === undefined || last === undefined || ratios.length < 2) return [];
  return [
    {
      asked: `${what}: time grows at most ${LINEAR} times as much as ${theirs[0]?.series.name}'s, from 512 MiB on`,
      measured: `${(last / first).toFixed(2)} times`,
      met: last <= LINEAR * first,
    },
  ];
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
            asked: `${what}: memory at the largest size at most ${SAME} times that at 512 MiB`,
            measured: `${(last / first).toFixed(2)} times`,
            met: last <= SAME * first,
          },
        ]),
  ];
}
