import { POSITION_WORDS } from './index-layout.js';

const MOST = 0x1_0000;

/** One bucket of the index file: the objects whose oids share their upper 48 bits. Reused for the next bucket. */
export class IndexBucket {
  /** The upper 32 bits of the shared prefix, and its lower 16. */
  high = 0;
  middle = 0;
  size = 0;
  /** The lower 16 bits of each oid, ascending; only the first `size` are in use. */
  readonly suffixes = new Uint16Array(MOST);
  /** The position of each object's newest record in three words, the highest first. */
  readonly words = new Uint16Array(MOST * POSITION_WORDS);

  /** Position of the newest record of object number `n`. */
  position(n: number): number {
    const { words } = this;
    const at = n * POSITION_WORDS;
    return (words[at] ?? 0) * 0x1_0000_0000 + (words[at + 1] ?? 0) * 0x1_0000 + (words[at + 2] ?? 0);
  }

  add(suffix: number, position: number): void {
    const at = this.size * POSITION_WORDS;
    this.words[at] = position / 0x1_0000_0000;
    this.words[at + 1] = position / 0x1_0000;
    this.words[at + 2] = position;
    this.suffixes[this.size++] = suffix;
  }

  /** Adds objects with consecutive suffixes. */
  addAll(first: number, words: Uint16Array): void {
    const count = words.length / POSITION_WORDS;
    const { suffixes, size } = this;
    for (let n = 0; n < count; n++) suffixes[size + n] = first + n;
    this.words.set(words, size * POSITION_WORDS);
    this.size += count;
  }

  /** As addAll, but skips objects whose position is 0. */
  addSome(first: number, from: Uint16Array): void {
    const { suffixes, words } = this;
    let { size } = this;
    for (let at = 0, suffix = first; at < from.length; at += POSITION_WORDS, suffix++) {
      const high = from[at] ?? 0;
      const middle = from[at + 1] ?? 0;
      const low = from[at + 2] ?? 0;
      if ((high | middle | low) === 0) continue;
      words[size * POSITION_WORDS] = high;
      words[size * POSITION_WORDS + 1] = middle;
      words[size * POSITION_WORDS + 2] = low;
      suffixes[size++] = suffix;
    }
    this.size = size;
  }
}
