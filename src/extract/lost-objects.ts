import { CLASS_PREFIX, classNameOf } from '../filestorage/class-name.js';
import { BACK_POINTER_LENGTH, RECORD_HEADER_LENGTH, readPosition, TLOC_OFFSET } from '../filestorage/layout.js';
import { ObjectIndex } from '../filestorage/object-index.js';
import { formatTid, ZERO_TID } from '../filestorage/tid.js';
import { headerAt } from '../pipeline/records.js';
import type { Readable } from '../pipeline/scan.js';
import { BackData, type DataPlace } from './back-data.js';
import { type LostObject, MOST_OBJECTS } from './lost-report.js';
import { oidKey, wholeOid } from './oid-key.js';

/** An object of which transactions were lost. */
interface Collected {
  readonly oid: bigint;
  readonly createdHere: boolean;
  revisions: number;
  /** Position of its newest record. */
  newest: number;
}

/** Collects the objects of a range from the records that a walk reports. The first MOST_OBJECTS are kept, all are counted. */
export class LostObjects {
  createdHere = 0;
  private readonly kept = new Map<number | bigint, Collected>();
  /** Only asked whether an object was seen. */
  private readonly seen = new ObjectIndex();

  get count(): number {
    return this.seen.size;
  }

  get isCut(): boolean {
    return this.seen.size > this.kept.size;
  }

  /** Adds a record. Returns whether its object is among the kept ones. */
  add(position: number, oidHigh: number, oidLow: number, previous: number): boolean {
    const key = oidKey(oidHigh, oidLow);
    const known = this.kept.get(key);
    if (known) {
      known.revisions++;
      known.newest = position;
      return true;
    }
    const isFirst = this.seen.set(oidHigh, oidLow, position) === 0;
    // Of the first record in the range the previous one is before the range, or there is none.
    const createdHere = previous === 0;
    if (isFirst && createdHere) this.createdHere++;
    if (!isFirst || this.kept.size >= MOST_OBJECTS) return false;
    this.kept.set(key, { oid: wholeOid(oidHigh, oidLow), createdHere, revisions: 1, newest: position });
    return true;
  }

  /** The kept ones, with what the file says of each. `blobs`: keys of the oids that are blobs. */
  async describe(source: Readable, blobs: ReadonlySet<bigint>): Promise<LostObject[]> {
    const reader = new RecordReader(source);
    const all: LostObject[] = [];
    for (const { oid, createdHere, revisions, newest } of this.kept.values()) {
      const { tid, bytes, className } = await reader.describe(newest, oid);
      all.push({
        oid: formatTid(oid),
        tid: formatTid(tid),
        revisions,
        bytes,
        class: className ?? null,
        blob: blobs.has(oid),
        createdHere,
        since: null,
        sinceTid: null,
        sinceTime: null,
        sameOid: null,
      });
    }
    return all;
  }
}

class RecordReader {
  private readonly backData: BackData;
  private readonly header = new Uint8Array(RECORD_HEADER_LENGTH + BACK_POINTER_LENGTH);
  private readonly view = new DataView(this.header.buffer);
  private readonly prefix = new Uint8Array(CLASS_PREFIX);

  constructor(private readonly source: Readable) {
    this.backData = new BackData(source);
  }

  async describe(position: number, oid: bigint) {
    await this.source.readBytes(this.header, position);
    // A record that was restored without a serial has the tid 0.
    const tid = (await headerAt(this.source, readPosition(this.view, TLOC_OFFSET)))?.tid ?? ZERO_TID;
    const place = await this.dataOf(position, oid);
    if (place === undefined) return { tid, bytes: 0, className: undefined };
    const prefix = this.prefix.subarray(0, Math.min(place.length, CLASS_PREFIX));
    const count = await this.source.readBytes(prefix, place.position);
    return { tid, bytes: place.length, className: classNameOf(prefix.subarray(0, count)) };
  }

  private async dataOf(position: number, oid: bigint): Promise<DataPlace | undefined> {
    const length = readPosition(this.view, 34);
    if (length > 0) return { position: position + RECORD_HEADER_LENGTH, length };
    const place = await this.backData.behind(readPosition(this.view, RECORD_HEADER_LENGTH), oid, position);
    return place === 'broken' ? undefined : place;
  }
}
