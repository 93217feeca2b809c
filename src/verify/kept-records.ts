import type { IndexBucket } from '../filestorage/index-bucket.js';
import { ObjectIndex } from '../filestorage/object-index.js';
import type { PieceEvents } from './piece.js';
import { decodePiece, PIECE_BYTES, PieceEncoder } from './piece-stream.js';

/** 24 MiB, enough for a million records. */
const MOST_PIECES = Math.floor((24 << 20) / PIECE_BYTES);

/** Stores reported records, to report them again later. Memory: up to MOST_PIECES, plus an index of their objects. */
export class KeptRecords implements PieceEvents {
  /** There is damage among the records, or too many of them to keep. */
  incomplete = false;
  private readonly pieces: Uint8Array[] = [];
  private readonly encoder = new PieceEncoder((bytes) => {
    if (this.pieces.length < MOST_PIECES) this.pieces.push(bytes.slice());
    else this.incomplete = true;
  });

  record(position: number, oidHigh: number, oidLow: number, previous: number): void {
    this.encoder.record(position, oidHigh, oidLow, previous);
  }

  transaction(end: number, packed: boolean): void {
    this.encoder.transaction(end, packed);
  }

  gap(): void {
    this.incomplete = true;
  }

  report(events: PieceEvents): void {
    this.encoder.flush();
    for (const bytes of this.pieces) decodePiece(bytes, events);
  }

  /** The objects that have a record here. */
  objects(): AscendingObjects {
    const index = new ObjectIndex();
    const record = (position: number, oidHigh: number, oidLow: number): void => {
      index.set(oidHigh, oidLow, position);
    };
    this.report({ record, transaction: () => {}, gap: () => {} });
    return new AscendingObjects(index);
  }
}

/** Answers queries for objects in ascending order of their oids. */
export class AscendingObjects {
  private readonly buckets: Generator<IndexBucket>;
  private bucket: IndexBucket | undefined;
  private at = 0;
  /** The current object. */
  private high = -1;
  private low = -1;

  constructor(index: ObjectIndex) {
    this.buckets = index.buckets();
    this.next();
  }

  /** Whether the object is in the set. Its oid must be above all oids queried before. */
  has(oidHigh: number, oidLow: number): boolean {
    while (this.high < oidHigh || (this.high === oidHigh && this.low < oidLow)) this.next();
    return this.high === oidHigh && this.low === oidLow;
  }

  private next(): void {
    if (this.at >= (this.bucket?.size ?? 0)) {
      const next = this.buckets.next();
      this.bucket = next.done ? undefined : next.value;
      this.at = 0;
    }
    const { bucket } = this;
    this.high = bucket?.high ?? Number.POSITIVE_INFINITY;
    if (bucket) this.low = ((bucket.middle << 16) | (bucket.suffixes[this.at++] ?? 0)) >>> 0;
  }
}
