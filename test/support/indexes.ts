import { ObjectIndex } from '../../src/filestorage/object-index.js';
import type { Random } from './random.js';

/** An object of an index: its oid in halves, and the position of its newest record. */
export interface Entry {
  readonly high: number;
  readonly low: number;
  readonly position: number;
}

const TOP = 2 ** 48 - 1;

/** How the oids of an index are distributed; an index has several such parts, which may overlap. */
const LAYS: readonly ((random: Random, n: number, base: number) => { high: number; low: number })[] = [
  (_, n, base) => ({ high: 0, low: base + n }),
  (_, n, base) => ({ high: 0, low: base + 7 * n }),
  (random, _, base) => ({ high: 0, low: base + random.below(3000) }),
  (random, n) => ({ high: n % 3, low: random.below(2 ** 32) }),
  (random) => ({ high: random.below(2 ** 32), low: random.below(2 ** 32) }),
  (random, n) => ({ high: 0xffff_ffff, low: 0xffff_ffff - random.below(2) * n }),
  (_, n) => ({ high: 1 + n, low: 0 }),
];

/** Objects in the order of their report; an oid may occur several times. Positions are below `end`. */
export function randomEntries(random: Random, end: number): Entry[] {
  const entries: Entry[] = [];
  for (let parts = random.below(4); parts > 0; parts--) {
    const lay = random.pick(LAYS);
    const base = random.below(2) * random.below(2 ** 31);
    const count = random.pick([1, 3, 31, 32, 300, 2000]);
    for (let n = 0; n < count; n++) {
      const position = 1 + Math.floor((random.below(2 ** 30) / 2 ** 30) * (end - 1));
      entries.push({ ...lay(random, n, base), position });
    }
  }
  return entries;
}

/** Ends of a file around every possible length of a pickled number. */
export function randomEnd(random: Random): number {
  const edge = 2 ** random.pick([8, 15, 16, 31, 32, 39, 40, 47]);
  return Math.min(TOP, random.pick([edge - 1, edge, edge + 1, 100, TOP]));
}

/** `bytesInAdvance`: see ObjectIndex; with 0 it has blocks where it would otherwise have a slot for each oid. */
export function indexOf(entries: Iterable<Entry>, bytesInAdvance?: number): ObjectIndex {
  const index = new ObjectIndex(bytesInAdvance);
  for (const { high, low, position } of entries) index.set(high, low, position);
  return index;
}

/** The entries of an index, in order. */
export function entriesOf(index: ObjectIndex): Entry[] {
  const entries: Entry[] = [];
  for (const bucket of index.buckets()) {
    const { high, middle, size, suffixes } = bucket;
    for (let n = 0; n < size; n++)
      entries.push({ high, low: middle * 0x1_0000 + suffixes[n]!, position: bucket.position(n) });
  }
  return entries;
}
