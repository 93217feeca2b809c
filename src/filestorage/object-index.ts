import { DENSE_GROUP_BYTES, DenseGroups, GROUP_SIZE } from './dense-groups.js';
import { IndexBucket } from './index-bucket.js';
import { LITTLE_ENDIAN } from './index-layout.js';
import { LARGEST_SIZE, ObjectBlocks, Put } from './object-blocks.js';

/**
 * Words of an entry of the table: the oid's upper half, the next 24 bits with the block's size + 1 or DENSE, and the number of
 * the block or dense group.
 */
const WORDS = 3;
/** Made with the first object, so large that the index of a usual site never has to enlarge it. */
const SMALLEST_TABLE = 1 << 12;
const FULLEST = 0.75;
const POSITION_LIMIT = 2 ** 48;
const DENSE = 0xff;
/**
 * A group is dense from its first object on, as long as all dense ones together take no more than this for each of their
 * objects, and BYTES_IN_ADVANCE: most oids are given in a row, and a block that grows is copied again and again.
 */
const DENSE_BYTES_AN_OBJECT = 10;
const BYTES_IN_ADVANCE = 1 << 20;

/**
 * Where the newest record of each object is: an oid in two halves of 32 bits to a position below 2^48. What FileStorage
 * keeps in memory as `_index` (ZODB/fsIndex.py).
 *
 * Memory: a table of groups of 256 oids, and the groups. A dense group has a place of 6 bytes for each of its oids; all others
 * are blocks of 7 bytes an object. Oids in a row cost 6.2 bytes each, every second, fourth or 16th oid some 10; oids that have
 * nothing in common some 40 bytes. There is no limit to their number. Nothing is ever removed.
 */
export class ObjectIndex {
  /** Number of objects. */
  size = 0;

  private table = new Uint32Array(WORDS);
  private mask = 0;
  private groups = 0;
  /** The entry of the group of the last object: the next one is mostly of the same. */
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
   * Sets the object's position; returns the one before, 0 for none. Throws a RangeError for a position that is not between 1
   * and 2^48 - 1.
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

  /** All objects, oids ascending, in buckets of one upper 48 bits each; the same bucket is filled again and again. */
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

  /** As `set`, for an object whose group is not dense, or not there yet. */
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

  /** Where the group's entry is, or would be. */
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

/** Spreads the groups over the table: their numbers mostly follow each other. */
function hash(high: number, rest: number): number {
  let h = Math.imul(high ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(rest, 0xc2b2ae35);
  h ^= h >>> 15;
  h = Math.imul(h, 0x2c1b3c6d);
  return (h ^ (h >>> 13)) >>> 0;
}
