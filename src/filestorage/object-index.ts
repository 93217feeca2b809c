import { GROUP_SIZE, ObjectBlocks, Put } from './object-blocks.js';

/** Words of an entry of the table: the oid's upper half, the next 24 bits with the block's size + 1, and the block. */
const WORDS = 3;
const SMALLEST_TABLE = 1 << 8;
const FULLEST = 0.75;
const POSITION_LIMIT = 2 ** 48;

/** The objects whose oids have their upper 48 bits in common, as the index file keeps them. Used again for the next ones. */
export interface Bucket {
  /** The upper 32 bits of their oids, and the next 16. */
  high: number;
  middle: number;
  size: number;
  /** The lower 16 bits of each oid, ascending, and the position of its newest record: the first `size` of each. */
  readonly suffixes: Uint16Array;
  readonly positions: Float64Array;
}

/**
 * Where the newest record of each object is: an oid in two halves of 32 bits to a position below 2^48. What FileStorage
 * keeps in memory as `_index` (ZODB/fsIndex.py).
 *
 * Memory: a table of groups of 256 oids, and in the blocks 7 bytes an object. Oids in a row cost 7.2 bytes each, every
 * fourth oid 9, every 16th some 11; oids that have nothing in common some 40 bytes. There is no limit to their number.
 * Nothing is ever removed.
 */
export class ObjectIndex {
  /** Number of objects. */
  size = 0;

  private table = new Uint32Array(SMALLEST_TABLE * WORDS);
  private mask = SMALLEST_TABLE - 1;
  private groups = 0;
  private readonly blocks = new ObjectBlocks((owner, block) => {
    this.table[owner + 2] = block;
  });

  /** Position of the object's newest record; 0 when there is none. */
  get(oidHigh: number, oidLow: number): number {
    const entry = this.find(oidHigh, oidLow >>> 8);
    const tagged = this.table[entry + 1] ?? 0;
    return tagged === 0 ? 0 : this.blocks.get((tagged & 0xff) - 1, this.table[entry + 2] ?? 0, oidLow & 0xff);
  }

  /**
   * Sets the object's position; returns the one before, 0 for none. Throws a RangeError for a position that is not between 1
   * and 2^48 - 1.
   */
  set(oidHigh: number, oidLow: number, position: number): number {
    if (!(position > 0 && position < POSITION_LIMIT)) throw new RangeError(`position ${position} does not fit 48 bits`);
    const entry = this.find(oidHigh, oidLow >>> 8);
    const tagged = this.table[entry + 1] ?? 0;
    if (tagged === 0) {
      this.addGroup(entry, oidHigh, oidLow, position);
      return 0;
    }
    const size = (tagged & 0xff) - 1;
    const block = this.table[entry + 2] ?? 0;
    let put = this.blocks.put(size, block, oidLow & 0xff, position);
    if (put === Put.Full) {
      const grown = this.blocks.grow(size, block);
      this.table[entry + 1] = tagged + 1;
      this.table[entry + 2] = grown;
      put = this.blocks.put(size + 1, grown, oidLow & 0xff, position);
    }
    if (put === Put.Replaced) return this.blocks.replaced;
    this.size++;
    return 0;
  }

  /** All objects, oids ascending, in buckets of one upper 48 bits each; the same bucket is filled again and again. */
  *buckets(): Generator<Bucket> {
    const groups = this.sortedGroups();
    const bucket: Bucket = {
      high: 0,
      middle: 0,
      size: 0,
      suffixes: new Uint16Array(0x1_0000),
      positions: new Float64Array(0x1_0000),
    };
    for (let at = 0; at < groups.length; at += 2) {
      const rest = groups[at] ?? 0;
      const high = groups[at + 1] ?? 0;
      if (bucket.size > 0 && (bucket.high !== high || bucket.middle !== rest >>> 8)) {
        yield bucket;
        bucket.size = 0;
      }
      bucket.high = high;
      bucket.middle = rest >>> 8;
      this.addTo(bucket, high, rest);
    }
    if (bucket.size > 0) yield bucket;
  }

  private addTo(bucket: Bucket, high: number, rest: number): void {
    const entry = this.find(high, rest);
    const base = (rest & 0xff) * GROUP_SIZE;
    this.blocks.each(((this.table[entry + 1] ?? 0) & 0xff) - 1, this.table[entry + 2] ?? 0, (suffix, position) => {
      bucket.suffixes[bucket.size] = base + suffix;
      bucket.positions[bucket.size++] = position;
    });
  }

  /** The groups' oids without their last byte, ascending: pairs of the lower 24 and the upper 32 bits. */
  private sortedGroups(): Uint32Array {
    const keys = new BigUint64Array(this.groups);
    const halves = new Uint32Array(keys.buffer);
    const [lower, upper] = LITTLE_ENDIAN ? [0, 1] : [1, 0];
    let at = 0;
    for (let entry = 0; entry < this.table.length; entry += WORDS) {
      const tagged = this.table[entry + 1] ?? 0;
      if (tagged === 0) continue;
      halves[at + lower] = tagged >>> 8;
      halves[at + upper] = this.table[entry] ?? 0;
      at += 2;
    }
    keys.sort();
    return halves;
  }

  private addGroup(entry: number, oidHigh: number, oidLow: number, position: number): void {
    this.size++;
    if (++this.groups > (this.mask + 1) * FULLEST) {
      this.enlarge();
      entry = this.find(oidHigh, oidLow >>> 8);
    }
    const block = this.blocks.create(entry, oidLow & 0xff, position);
    this.enter(entry, oidHigh, (oidLow & ~0xff) | 1, block);
  }

  private enter(entry: number, high: number, tagged: number, block: number): void {
    this.table[entry] = high;
    this.table[entry + 1] = tagged;
    this.table[entry + 2] = block;
  }

  /** Where the group's entry is, or would be. */
  private find(high: number, rest: number): number {
    const { table, mask } = this;
    for (let at = hash(high, rest) & mask; ; at = (at + 1) & mask) {
      const tagged = table[at * WORDS + 1] ?? 0;
      if (tagged === 0 || (tagged >>> 8 === rest && table[at * WORDS] === high)) return at * WORDS;
    }
  }

  private enlarge(): void {
    const old = this.table;
    this.mask = this.mask * 2 + 1;
    this.table = new Uint32Array((this.mask + 1) * WORDS);
    for (let from = 0; from < old.length; from += WORDS) {
      const tagged = old[from + 1] ?? 0;
      if (tagged === 0) continue;
      const high = old[from] ?? 0;
      const block = old[from + 2] ?? 0;
      const entry = this.find(high, tagged >>> 8);
      this.enter(entry, high, tagged, block);
      this.blocks.setOwner((tagged & 0xff) - 1, block, entry);
    }
  }
}

const LITTLE_ENDIAN = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

/** Spreads the groups over the table: their numbers mostly follow each other. */
function hash(high: number, rest: number): number {
  let h = Math.imul(high ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(rest, 0xc2b2ae35);
  h ^= h >>> 15;
  h = Math.imul(h, 0x2c1b3c6d);
  return (h ^ (h >>> 13)) >>> 0;
}
