import { BLOB_WORDS } from '../filestorage/blob-names.js';
import type { BlobId } from './layout.js';

const HALF = 32n;
const LOW = 0xffff_ffffn;
const NONE = -1;

/**
 * A set of blobs by oid and tid, numbered in the order in which they were added: for a million of them, so no object
 * and no BigInt each. A hash table with open addressing, at most half full.
 */
export class BlobSet {
  size = 0;
  private words = new Uint32Array(64 * BLOB_WORDS);
  private table = new Int32Array(256).fill(NONE);

  /** Adds a blob by the halves of its oid and tid. Returns its number, which is `size - 1` if it is new. */
  add(oidHigh: number, oidLow: number, tidHigh: number, tidLow: number): number {
    const slot = this.slotOf(oidHigh, oidLow, tidHigh, tidLow);
    const known = this.table[slot] ?? NONE;
    if (known !== NONE) return known;
    const number = this.size++;
    if (this.size * BLOB_WORDS > this.words.length) this.growWords();
    this.words.set([oidHigh, oidLow, tidHigh, tidLow], number * BLOB_WORDS);
    this.table[slot] = number;
    if (2 * this.size > this.table.length) this.growTable();
    return number;
  }

  addId({ oid, tid }: BlobId): number {
    return this.add(...halvesOf(oid), ...halvesOf(tid));
  }

  /** Its number; undefined where it is not in the set. */
  numberOf({ oid, tid }: BlobId): number | undefined {
    const found = this.table[this.slotOf(...halvesOf(oid), ...halvesOf(tid))] ?? NONE;
    return found === NONE ? undefined : found;
  }

  idAt(number: number): BlobId {
    const at = number * BLOB_WORDS;
    return { oid: whole(this.words[at], this.words[at + 1]), tid: whole(this.words[at + 2], this.words[at + 3]) };
  }

  *[Symbol.iterator](): Generator<BlobId> {
    for (let number = 0; number < this.size; number++) yield this.idAt(number);
  }

  /** The numbers in the order of oid, then tid. */
  sorted(): Uint32Array {
    const { words } = this;
    const numbers = Uint32Array.from({ length: this.size }, (_, number) => number);
    return numbers.sort((a, b) => {
      for (let word = 0; word < BLOB_WORDS; word++) {
        const difference = (words[a * BLOB_WORDS + word] ?? 0) - (words[b * BLOB_WORDS + word] ?? 0);
        if (difference !== 0) return difference;
      }
      return 0;
    });
  }

  private slotOf(a: number, b: number, c: number, d: number): number {
    const { table, words } = this;
    const mask = table.length - 1;
    let hash =
      Math.imul(a ^ Math.imul(b, 0x9e37_79b1), 0x85eb_ca6b) ^ Math.imul(c ^ Math.imul(d, 0xc2b2_ae35), 0x27d4_eb2f);
    hash ^= hash >>> 15;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const number = table[slot] ?? NONE;
      if (number === NONE) return slot;
      const at = number * BLOB_WORDS;
      if (words[at + 1] === b && words[at + 3] === d && words[at + 2] === c && words[at] === a) return slot;
    }
  }

  private growWords(): void {
    const larger = new Uint32Array(2 * this.words.length);
    larger.set(this.words);
    this.words = larger;
  }

  private growTable(): void {
    const { words } = this;
    this.table = new Int32Array(2 * this.table.length).fill(NONE);
    for (let number = 0; number < this.size; number++) {
      const at = number * BLOB_WORDS;
      const slot = this.slotOf(words[at] ?? 0, words[at + 1] ?? 0, words[at + 2] ?? 0, words[at + 3] ?? 0);
      this.table[slot] = number;
    }
  }
}

function halvesOf(value: bigint): [number, number] {
  return [Number(value >> HALF), Number(value & LOW)];
}

function whole(high = 0, low = 0): bigint {
  return (BigInt(high) << HALF) | BigInt(low);
}
