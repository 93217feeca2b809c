import type { IndexBucket } from './index-bucket.js';
import { POSITION_WORDS } from './index-layout.js';

/** Number of oids that differ in their last byte only. */
export const GROUP_SIZE = 256;

const GROUP_WORDS = GROUP_SIZE * POSITION_WORDS;
export const DENSE_GROUP_BYTES = GROUP_WORDS * Uint16Array.BYTES_PER_ELEMENT;
/** Groups per segment. A segment is one allocation of 192 KiB. */
const SEGMENT_BITS = 7;
const SEGMENT_GROUPS = 1 << SEGMENT_BITS;

/**
 * Groups of objects with a slot for each possible oid. A slot is a position of six bytes in three words, the highest
 * first, as in the index file. Position 0: no such object.
 */
export class DenseGroups {
  /** Number of groups. */
  count = 0;
  private readonly segments: Uint16Array[] = [];
  /** Number of objects in each group. */
  private readonly objects: Uint16Array[] = [];

  /** Number of a new, empty group. */
  add(): number {
    if (this.count === this.segments.length * SEGMENT_GROUPS) {
      this.segments.push(new Uint16Array(SEGMENT_GROUPS * GROUP_WORDS));
      this.objects.push(new Uint16Array(SEGMENT_GROUPS));
    }
    return this.count++;
  }

  /** Position of the object; 0 for none. */
  get(group: number, suffix: number): number {
    const words = this.segment(group);
    const at = (group & (SEGMENT_GROUPS - 1)) * GROUP_WORDS + suffix * POSITION_WORDS;
    return (words[at] ?? 0) * 0x1_0000_0000 + (words[at + 1] ?? 0) * 0x1_0000 + (words[at + 2] ?? 0);
  }

  /** Sets the object's position. Returns the previous one, 0 for none. */
  put(group: number, suffix: number, position: number): number {
    const words = this.segment(group);
    const at = (group & (SEGMENT_GROUPS - 1)) * GROUP_WORDS + suffix * POSITION_WORDS;
    const before = (words[at] ?? 0) * 0x1_0000_0000 + (words[at + 1] ?? 0) * 0x1_0000 + (words[at + 2] ?? 0);
    // A Uint16Array stores the lower 16 bits of a number.
    words[at] = position / 0x1_0000_0000;
    words[at + 1] = position / 0x1_0000;
    words[at + 2] = position;
    if (before === 0) this.countOne(group);
    return before;
  }

  /** Adds a group's objects to a bucket. The group's suffixes begin at `base`. */
  addTo(bucket: IndexBucket, base: number, group: number): void {
    const first = (group & (SEGMENT_GROUPS - 1)) * GROUP_WORDS;
    const words = this.segment(group).subarray(first, first + GROUP_WORDS);
    const objects = this.objectsIn(group)[group & (SEGMENT_GROUPS - 1)];
    if (objects === GROUP_SIZE) bucket.addAll(base, words);
    else bucket.addSome(base, words);
  }

  private countOne(group: number): void {
    const objects = this.objectsIn(group);
    const at = group & (SEGMENT_GROUPS - 1);
    objects[at] = (objects[at] ?? 0) + 1;
  }

  private objectsIn(group: number): Uint16Array {
    const objects = this.objects[group >>> SEGMENT_BITS];
    if (!objects) throw new RangeError(`there is no group ${group}`);
    return objects;
  }

  private segment(group: number): Uint16Array {
    const segment = this.segments[group >>> SEGMENT_BITS];
    if (!segment) throw new RangeError(`there is no group ${group}`);
    return segment;
  }
}
