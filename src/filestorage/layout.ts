/**
 * The Data.fs format, after ZODB's FileStorage/format.py. All integers are big-endian and unsigned.
 *
 * ```
 * file         magic 'FS21' | 'FS30', then transactions back to back
 *
 * transaction   0  8  tid
 * (23 bytes)    8  8  tlen    length without the trailer: the next transaction begins at position + tlen + 8
 *              16  1  status  ' ' committed, 'p' packed, 'u' undone, 'c' voted and not finished
 *              17  2  ulen    user name
 *              19  2  dlen    description
 *              21  2  elen    extension
 *              23  .  user, description, extension, then data records up to position + tlen
 *               +  8  tlen again: the trailer
 *
 * record        0  8  oid
 * (42 bytes)    8  8  tid     that of the enclosing transaction
 *              16  8  prev    position of the oid's previous record, 0 for none
 *              24  8  tloc    position of the enclosing transaction
 *              32  2  vlen    0
 *              34  8  plen    data length; 0: an 8-byte back pointer follows instead
 * ```
 */
export const MAGIC_LENGTH = 4;
export const TRANSACTION_HEADER_LENGTH = 23;
export const RECORD_HEADER_LENGTH = 42;
export const BACK_POINTER_LENGTH = 8;
export const TRAILER_LENGTH = 8;

export const STATUS_OFFSET = 16;
export const TLOC_OFFSET = 24;

export const STATUS_COMMITTED = 0x20;
export const STATUS_PACKED = 0x70;
export const STATUS_UNDONE = 0x75;
export const STATUS_IN_FLIGHT = 0x63;

/** The status bytes of a finished transaction. No two of them differ by a single bit. */
export const FINISHED_STATUSES: ReadonlySet<number> = new Set([STATUS_COMMITTED, STATUS_PACKED, STATUS_UNDONE]);

/** The smallest transaction on disk: a header without user, description, extension or records, and its trailer. */
export const SMALLEST_TRANSACTION = TRANSACTION_HEADER_LENGTH + TRAILER_LENGTH;

export type Magic = 'FS21' | 'FS30';

/** The magic at the start of `bytes`; undefined when they do not begin a Data.fs. */
export function magicOf(bytes: Uint8Array): Magic | undefined {
  const text = String.fromCharCode(...bytes.subarray(0, MAGIC_LENGTH));
  return text === 'FS21' || text === 'FS30' ? text : undefined;
}

/** Highest upper half of a 64-bit number that a JavaScript number holds exactly (2^53 - 1). */
const SAFE_HIGH = 0x1fffff;

/**
 * The unsigned 64-bit number at `at`, or Infinity when it exceeds 53 bits. No position or length of a real file is that
 * large, and Infinity fails every bound check that a hostile length has to pass.
 */
export function readPosition(view: DataView, at: number): number {
  const high = view.getUint32(at);
  return high > SAFE_HIGH ? Number.POSITIVE_INFINITY : high * 0x1_0000_0000 + view.getUint32(at + 4);
}

export interface TransactionHeader {
  readonly tid: bigint;
  /** In bytes, without the trailer; Infinity when the file states more than 2^53. */
  readonly length: number;
  readonly status: number;
  readonly userLength: number;
  readonly descriptionLength: number;
  readonly extensionLength: number;
}

/** Decodes the 23 bytes at `at`; the caller has checked that they are available. */
export function readTransactionHeader(view: DataView, at: number): TransactionHeader {
  return {
    tid: view.getBigUint64(at),
    length: readPosition(view, at + 8),
    status: view.getUint8(at + STATUS_OFFSET),
    userLength: view.getUint16(at + 17),
    descriptionLength: view.getUint16(at + 19),
    extensionLength: view.getUint16(at + 21),
  };
}

/** Length of a transaction's header with user, description and extension, which is the offset of its first record. */
export function bodyOffset(header: TransactionHeader): number {
  return TRANSACTION_HEADER_LENGTH + header.userLength + header.descriptionLength + header.extensionLength;
}
