import { inflateSync } from 'node:zlib';

/**
 * Whether a record is a blob's, as ZODB.blob.is_blob_record judges it: its first pickle is the class ZODB.blob.Blob.
 * Nothing is unpickled: the bytes are compared with every form in which pickle protocols 0 to 5 write that reference.
 *
 * ```
 * [80 P]                   protocol, from 2 on
 * [95 LENGTH(8)]           frame, from 4 on
 * c ZODB.blob\nBlob\n      up to protocol 3
 *   or STRING [MEMO] STRING [MEMO] 93     from 4 on; STRING is 8c LENGTH(1) or X LENGTH(4), then its bytes
 * [MEMO]                   p DIGITS\n, q NUMBER(1) or r NUMBER(4); from 4 on 94
 * .
 * ```
 *
 * zlibstorage writes `.z` and a compressed record where that is shorter; an encrypting storage writes `.e`, which
 * shows nothing. No pickle begins with a dot.
 */
export type RecordKind = 'blob' | 'other' | 'encrypted';

/** No form of the reference is longer, so the first bytes of a record decide. A compressed one is shorter still. */
export const BLOB_PREFIX = 80;

const DOT = 0x2e;
const COMPRESSED = 0x7a;
const ENCRYPTED = 0x65;
const PROTO = 0x80;
const FRAME = 0x95;
const GLOBAL = 0x63;
const STACK_GLOBAL = 0x93;
const LINE_END = 0x0a;
const MODULE = Buffer.from('ZODB.blob');
const NAME = Buffer.from('Blob');
const REFERENCE = Buffer.from('ZODB.blob\nBlob\n');
/** The first protocol with frames, MEMOIZE and STACK_GLOBAL. An unpickler of ZODB 6 ends with the one before. */
const FRAMED_PROTOCOL = 4;
const MOST_PROTOCOL = 5;
const MOST_INFLATED = 4096;

/** `data`: the record's data, or its first BLOB_PREFIX bytes. `length`: that of the complete data. */
export function isBlobRecord(data: Uint8Array, length = data.length): RecordKind {
  if (data[0] !== DOT) return isBlobClass(data) ? 'blob' : 'other';
  if (data[1] === ENCRYPTED) return 'encrypted';
  // A reference is compressed only if that makes it shorter.
  if (data[1] !== COMPRESSED || length > BLOB_PREFIX || data.length < length) return 'other';
  try {
    const inflated = inflateSync(data.subarray(2, length), { maxOutputLength: MOST_INFLATED });
    return isBlobClass(inflated) ? 'blob' : 'other';
  } catch {
    return 'other';
  }
}

/** A first glance without a call, which nearly every other record fails: the four bytes that begin the data. */
export function mayBeBlob(first: number): boolean {
  // A protocol and GLOBAL 'Z', which begins few modules; a protocol and FRAME or a string; GLOBAL 'ZOD'; a dot.
  const lead = first >>> 24;
  if (lead === PROTO) {
    const second = (first >>> 8) & 0xff;
    return second === GLOBAL ? (first & 0xff) === 0x5a : second === FRAME || second === 0x8c || second === 0x58;
  }
  return lead === GLOBAL ? (first & 0xff_ffff) === 0x5a_4f_44 : lead === DOT;
}

function isBlobClass(data: Uint8Array): boolean {
  const protocol = data[0] === PROTO ? (data[1] ?? MOST_PROTOCOL + 1) : 0;
  if (protocol > MOST_PROTOCOL) return false;
  const isFramed = protocol >= FRAMED_PROTOCOL;
  let at = data[0] === PROTO ? 2 : 0;
  if (isFramed && data[at] === FRAME) at += 9;
  const behind = data[at] === GLOBAL ? behindGlobal(data, at) : isFramed ? behindStackGlobal(data, at) : undefined;
  return behind !== undefined && data[behindMemo(data, behind, isFramed)] === DOT;
}

function behindGlobal(data: Uint8Array, at: number): number | undefined {
  return has(data, at + 1, REFERENCE) ? at + 1 + REFERENCE.length : undefined;
}

function behindStackGlobal(data: Uint8Array, at: number): number | undefined {
  const module = behindString(data, at, MODULE);
  const name = module === undefined ? undefined : behindString(data, behindMemo(data, module, true), NAME);
  if (name === undefined) return undefined;
  const end = behindMemo(data, name, true);
  return data[end] === STACK_GLOBAL ? end + 1 : undefined;
}

/** Position behind a string opcode with exactly this text; undefined if it is another. */
function behindString(data: Uint8Array, at: number, text: Uint8Array): number | undefined {
  const bytes = { 140: 1, 88: 4 }[data[at] ?? 0];
  if (bytes === undefined) return undefined;
  for (let digit = 0; digit < bytes; digit++) {
    if (data[at + 1 + digit] !== (digit === 0 ? text.length : 0)) return undefined;
  }
  const start = at + 1 + bytes;
  return has(data, start, text) ? start + text.length : undefined;
}

function behindMemo(data: Uint8Array, at: number, isFramed: boolean): number {
  switch (data[at]) {
    case 0x94:
      return isFramed ? at + 1 : at;
    case 0x71:
      return at + 2;
    case 0x72:
      return at + 5;
    case 0x70: {
      let end = at + 1;
      while (isDigit(data[end])) end++;
      return end > at + 1 && data[end] === LINE_END ? end + 1 : at;
    }
    default:
      return at;
  }
}

function isDigit(byte = 0): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

function has(data: Uint8Array, at: number, text: Uint8Array): boolean {
  return at + text.length <= data.length && Buffer.compare(data.subarray(at, at + text.length), text) === 0;
}
