import { encodeTransaction } from '../../src/filestorage/encode.js';
import { ascii, concat, nthTid } from '../support/data-fs.js';

/** Files of some size that are hostile by their quantities. */

const EMPTY = 31;

/** This many transactions without records, whose tids rise by `step`. */
export function emptyTransactions(count: number, firstTid = nthTid(0), step = 1n): Uint8Array {
  const bytes = new Uint8Array(4 + EMPTY * count);
  const view = new DataView(bytes.buffer);
  bytes.set(ascii('FS30'));
  for (let n = 0; n < count; n++) {
    const at = 4 + EMPTY * n;
    view.setBigUint64(at, firstTid + BigInt(n) * step);
    view.setBigUint64(at + 8, 23n);
    view.setUint8(at + 16, 0x20);
    view.setBigUint64(at + 23, 23n);
  }
  return bytes;
}

/** One transaction of this many records with one byte of data each. */
export function tinyRecords(count: number): Uint8Array {
  const data = ascii('.');
  const records = Array.from({ length: count }, (_, n) => ({ oid: BigInt(n), prev: 0, data }));
  return oneTransaction(records);
}

/** One transaction of one record. */
export function oneLargeRecord(length: number): Uint8Array {
  return oneTransaction([{ oid: 0n, prev: 0, data: new Uint8Array(length) }]);
}

function oneTransaction(records: readonly { oid: bigint; prev: number; data: Uint8Array }[]): Uint8Array {
  const none = new Uint8Array(0);
  const texts = { user: none, description: none, extension: none };
  return concat(ascii('FS30'), encodeTransaction({ tid: nthTid(0), position: 4, status: 0x20, ...texts, records }));
}

/**
 * Bytes behind a file in which every position looks like the start of a transaction: each header names itself in its
 * first record, and its trailer is wrong.
 */
export function falseBeginnings(before: Uint8Array, count: number): Uint8Array {
  const each = 23 + 42 + 8 + 8;
  const bytes = new Uint8Array(each * count);
  const view = new DataView(bytes.buffer);
  for (let n = 0; n < count; n++) {
    const at = n * each;
    const position = BigInt(before.length + at);
    for (const tidAt of [at, at + 23 + 8]) view.setBigUint64(tidAt, nthTid(1_000 + n));
    view.setBigUint64(at + 8, BigInt(each - 8));
    view.setUint8(at + 16, 0x20);
    view.setBigUint64(at + 23 + 24, position);
    view.setBigUint64(at + each - 8, 1n);
  }
  // The first one has a length beyond the file: everything behind it must be searched.
  view.setBigUint64(8, 1n << 40n);
  return concat(before, bytes);
}
