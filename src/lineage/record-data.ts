import { BACK_POINTER_LENGTH, RECORD_HEADER_LENGTH, readPosition } from '../filestorage/layout.js';
import { type ForwardSource, Short, sameBytes } from './forward-bytes.js';
import type { TransactionCursor } from './transaction-cursor.js';

/** The place of a record's data; undefined: none, the object's creation was undone. */
interface Place {
  readonly position: number;
  readonly length: number;
}

const PIECE = 65_536;

/**
 * Whether the records at both cursors hold the same data. A pack, or a copy by restore(), replaces a pointer by the
 * data, and moves pointers. So pointers are followed on both sides, and data is compared with data.
 */
export function sameData(a: TransactionCursor, b: TransactionCursor): boolean | Promise<boolean> {
  if (a.dataLength === 0 || b.dataLength === 0) return sameBehindPointers(a, b);
  if (a.dataLength !== b.dataLength) return false;
  return sameBytes(a.buffer, a.dataAt, b.buffer, b.dataAt, a.dataLength);
}

async function sameBehindPointers(a: TransactionCursor, b: TransactionCursor): Promise<boolean> {
  const [mine, other] = [await placeOf(a), await placeOf(b)];
  if (mine === undefined || other === undefined) return mine === other;
  if (mine.length !== other.length) return false;
  return sameBytesApart(a.source, mine.position, b.source, other.position, mine.length);
}

async function placeOf(cursor: TransactionCursor): Promise<Place | undefined> {
  if (cursor.dataLength > 0) return { position: cursor.dataAt, length: cursor.dataLength };
  return follow(cursor.source, cursor.back, cursor.recordAt);
}

/** Follows back pointers, which lead strictly backwards in a valid file. undefined for one that does not. */
async function follow(source: ForwardSource, first: number, from: number): Promise<Place | undefined> {
  const head = new Uint8Array(RECORD_HEADER_LENGTH + BACK_POINTER_LENGTH);
  const view = new DataView(head.buffer);
  let before = from;
  for (let position = first; position > 0 && position < before; ) {
    await readAll(source, head, position);
    const length = readPosition(view, 34);
    if (length > 0) return { position: position + RECORD_HEADER_LENGTH, length };
    before = position;
    position = readPosition(view, RECORD_HEADER_LENGTH);
  }
  return undefined;
}

/** Like sameBytes, but away from the cursors, without moving their buffers. */
async function sameBytesApart(
  a: ForwardSource,
  aPosition: number,
  b: ForwardSource,
  bPosition: number,
  length: number,
): Promise<boolean> {
  if (aPosition + length > a.size || bPosition + length > b.size) return false;
  const mine = new Uint8Array(Math.min(PIECE, length));
  const other = new Uint8Array(mine.length);
  for (let done = 0; done < length; done += PIECE) {
    const count = Math.min(PIECE, length - done);
    await readAll(a, mine.subarray(0, count), aPosition + done);
    await readAll(b, other.subarray(0, count), bPosition + done);
    if (Buffer.compare(mine.subarray(0, count), other.subarray(0, count)) !== 0) return false;
  }
  return true;
}

async function readAll(source: ForwardSource, into: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < into.length; ) {
    const count = await source.readBytes(into.subarray(done), position + done);
    if (count === 0) throw new Short(source, position + done);
    done += count;
  }
}
