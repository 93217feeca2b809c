import { python, SYNCPOZO } from '../peers.js';
import { type Contender, race } from '../race.js';
import type { Measured, Row } from '../row.js';
import { dropFromCache, type Scene } from '../scene.js';
import { atMost, faster, ofLarge } from '../target.js';

/** Every byte of a file, against programs that only hash it or only check its structure. */
export const verify: Row = {
  name: 'verify',
  media: ['memory', 'disk'],
  missing: ({ peers }) => (peers.has('verify') ? undefined : 'syncpozo has no command verify yet'),
  measure,
};

async function measure({ bytes, medium, pair, peers, runs, onRun }: Scene): Promise<Measured> {
  pair.syncNow();
  const prepare = (): void => {
    if (medium === 'disk') for (const file of [pair.master, pair.slave]) dropFromCache(file);
  };
  const ours = (name: string, ...more: readonly string[]): Contender => ({
    name,
    command: [...SYNCPOZO, 'verify', '--quiet', ...more, pair.slaveDirectory],
    prepare,
  });
  const withoutPointers = peers.optional('verify', '--no-pointers');
  const contenders = [
    ours('verify'),
    ours('verify --against', '--against', pair.masterDirectory),
    ...(withoutPointers.length === 0 ? [] : [ours('verify --no-pointers', ...withoutPointers)]),
    ...[0, 1].flatMap((count) => {
      const option = peers.optional('verify', '--workers', String(count));
      return option.length === 0 ? [] : [ours(`verify, ${count} worker${count === 1 ? '' : 's'}`, ...option)];
    }),
  ];
  if (peers.xxhsum.version !== undefined)
    contenders.push({ name: 'xxhsum -H1', command: ['xxhsum', '-H1', pair.slave], prepare });
  if (peers.zodb.version !== undefined) {
    contenders.push({ name: 'fstest', command: python('-m', 'ZODB.scripts.fstest', pair.slave), prepare });
  }
  const series = await race(contenders, runs, onRun);
  return {
    title: medium === 'disk' ? 'verify, everything, nothing in the page cache' : 'verify, everything',
    series,
    targets: ofLarge(bytes, [
      ...atMost(series, 'verify', 1.2, 'xxhsum -H1'),
      ...atMost(series, 'verify --no-pointers', 0.8, 'xxhsum -H1'),
      ...faster(series, 'verify', 15, 'fstest'),
    ]),
  };
}
