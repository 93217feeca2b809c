import { DENSE_GROUP_BYTES, DenseGroups, GROUP_SIZE } from './dense-groups.js';
import { IndexBucket } from './index-bucket.js';
import { LITTLE_ENDIAN } from './index-layout.js';
import { LARGEST_SIZE, ObjectBlocks, Put } from './object-blocks.js';

/**
 * Words of a table entry: the oid's upper half; the next 24 bits with the block's size + 1 or DENSE; the number of the
 * block or dense group.
 */
const WORDS = 3;
/**
 * Initial size, allocated with the first object: large enough that the index of a typical site never enlarges the
 * table.
 */
const SMALLEST_TABLE = 1 << 12;
const FULLEST = 0.75;
const POSITION_LIMIT = 2 ** 48;
const DENSE = 0xff;
/**
 * A new group is dense as long as all dense groups together use at most this many bytes per object plus
 * BYTES_IN_ADVANCE. Most oids are allocated consecutively, and a block that grows is copied each time.
 */
const DENSE_BYTES_AN_OBJECT = 10;
const BYTES_IN_ADVANCE = 1 << 20;

/**
 * Maps each object to the position of its newest record: an oid in two halves of 32 bits to a position below 2^48.
 * FileStorage keeps the same map in memory as `_index` (ZODB/fsIndex.py).
 *
 * Memory: a table of groups of 256 oids, and the groups. A dense group has a slot of 6 bytes for each of its oids; all
 * others are blocks of 7 bytes per object. Consecutive oids cost 6.2 bytes each; every second, fourth or 16th oid about
 * 10; scattered oids about 40. The number of objects has no limit. Nothing is ever removed.
 */
export class ObjectIndex {
  /** Number of objects. */
  size = 0;

  private table = new Uint32Array(WORDS);
  private mask = 0;
  private groups = 0;
  /** Table entry of the last object's group: the next object is usually in the same group. */
  private last = 0;
  private readonly dense = new DenseGroups();
  private readonly blocks = new ObjectBlocks((owner, block) => {
    this.table[owner + 2] = block;
  });

  constructor(private readonly bytesInAdvance = BYTES_IN_ADVANCE) {}

  /** Position of the object's newest record; 0 when there is none. */
  get(oidHigh: number, oidLow: number): number {
    const entry = this.find(oidHigh, oidLow >>> 8);
    const tagged = this.table[entry + 1] ?? 0;
    if (tagged === 0) return 0;
    const place = this.table[entry + 2] ?? 0;
    const size = tagged & 0xff;
    return size === DENSE ? this.dense.get(place, oidLow & 0xff) : this.blocks.get(size - 1, place, oidLow & 0xff);
  }

  /**
   * Sets the object's position. Returns the previous one, 0 for none. Throws a RangeError for a position that is not
   * between 1 and 2^48 - 1.
   */
  set(oidHigh: number, oidLow: number, position: number): number {
    if (!(position > 0 && position < POSITION_LIMIT)) throw new RangeError(`position ${position} does not fit 48 bits`);
    const { table } = this;
    const dense = (oidLow | 0xff) >>> 0;
    let entry = this.last;
    if (table[entry + 1] !== dense || table[entry] !== oidHigh) {
      entry = this.find(oidHigh, oidLow >>> 8);
      if (table[entry + 1] !== dense) return this.setInBlock(entry, oidHigh, oidLow, position);
      this.last = entry;
    }
    const before = this.dense.put(table[entry + 2] ?? 0, oidLow & 0xff, position);
    if (before === 0) this.size++;
    return before;
  }

  /** All objects in buckets, oids ascending. The yielded bucket is reused. */
  *buckets(): Generator<IndexBucket> {
    const groups = this.sortedGroups();
    const bucket = new IndexBucket();
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

  private addTo(bucket: IndexBucket, high: number, rest: number): void {
    const entry = this.find(high, rest);
    const base = (rest & 0xff) * GROUP_SIZE;
    const size = (this.table[entry + 1] ?? 0) & 0xff;
    const place = this.table[entry + 2] ?? 0;
    if (size === DENSE) this.dense.addTo(bucket, base, place);
    else this.blocks.addTo(bucket, base, size - 1, place);
  }

  /** The oid prefixes of the groups (without the last byte), ascending: pairs of the lower 24 and the upper 32 bits. */
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

  /** As `set`, for an object whose group is not dense, or does not exist yet. */
  private setInBlock(entry: number, oidHigh: number, oidLow: number, position: number): number {
    const tagged = this.table[entry + 1] ?? 0;
    if (tagged === 0) {
      this.addGroup(entry, oidHigh, oidLow, position);
      return 0;
    }
    const size = (tagged & 0xff) - 1;
    const block = this.table[entry + 2] ?? 0;
    const put = this.blocks.put(size, block, oidLow & 0xff, position);
    if (put === Put.Replaced) return this.blocks.replaced;
    if (put === Put.Full) {
      if (size === LARGEST_SIZE || this.affordsDense()) this.makeDense(entry, size, block);
      else {
        const grown = this.blocks.grow(size, block);
        this.enter(entry, oidHigh, tagged + 1, grown);
      }
      return this.set(oidHigh, oidLow, position);
    }
    this.size++;
    return 0;
  }

  private addGroup(entry: number, oidHigh: number, oidLow: number, position: number): void {
    this.size++;
    if (++this.groups > (this.mask + 1) * FULLEST) {
      this.enlarge();
      entry = this.find(oidHigh, oidLow >>> 8);
    }
    if (this.affordsDense()) {
      const group = this.dense.add();
      this.dense.put(group, oidLow & 0xff, position);
      this.enter(entry, oidHigh, oidLow | DENSE, group);
      return;
    }
    const block = this.blocks.create(entry, oidLow & 0xff, position);
    this.enter(entry, oidHigh, (oidLow & ~0xff) | 1, block);
  }

  private affordsDense(): boolean {
    const allowed = DENSE_BYTES_AN_OBJECT * (this.size - this.blocks.objects) + this.bytesInAdvance;
    return (this.dense.count + 1) * DENSE_GROUP_BYTES <= allowed;
  }

  private makeDense(entry: number, size: number, block: number): void {
    const { table, dense } = this;
    const group = dense.add();
    this.blocks.dissolve(size, block, (suffix, position) => dense.put(group, suffix, position));
    table[entry + 1] = (table[entry + 1] ?? 0) | DENSE;
    table[entry + 2] = group;
  }

  private enter(entry: number, high: number, tagged: number, place: number): void {
    this.table[entry] = high;
    this.table[entry + 1] = tagged;
    this.table[entry + 2] = place;
  }

  /** Table entry of the group, or the free entry for it. */
  private find(high: number, rest: number): number {
    const { table, mask } = this;
    for (let at = hash(high, rest); ; ) {
      at = (at + 1) & mask;
      const tagged = table[at * WORDS + 1] ?? 0;
      if (tagged === 0 || (tagged >>> 8 === rest && table[at * WORDS] === high)) return at * WORDS;
    }
  }

  private enlarge(): void {
    const old = this.table;
    this.mask = Math.max(SMALLEST_TABLE, 2 * (this.mask + 1)) - 1;
    this.table = new Uint32Array((this.mask + 1) * WORDS);
    this.last = 0;
    for (let from = 0; from < old.length; from += WORDS) {
      const tagged = old[from + 1] ?? 0;
      if (tagged === 0) continue;
      const high = old[from] ?? 0;
      const place = old[from + 2] ?? 0;
      const entry = this.find(high, tagged >>> 8);
      this.enter(entry, high, tagged, place);
      if ((tagged & 0xff) !== DENSE) this.blocks.setOwner((tagged & 0xff) - 1, place, entry);
    }
  }
}

/** Distributes the groups over the table: their numbers are mostly consecutive. */
function hash(high: number, rest: number): number {
  let h = Math.imul(high ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(rest, 0xc2b2ae35);
  h ^= h >>> 15;
  h = Math.imul(h, 0x2c1b3c6d);
  return (h ^ (h >>> 13)) >>> 0;
}
