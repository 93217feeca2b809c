import { encodeTransaction, type RecordToWrite, recordPositions } from '../../src/filestorage/encode.js';
import { MAGIC_LENGTH, STATUS_COMMITTED } from '../../src/filestorage/layout.js';

/** A record in a test; omitted fields get values that make the file valid. */
export type DraftRecord = {
  readonly oid?: bigint;
  readonly prev?: number;
  readonly data?: Uint8Array | string;
  readonly backPointer?: number;
};

export interface Draft {
  readonly tid?: bigint;
  readonly status?: string;
  readonly user?: string;
  readonly description?: string;
  readonly extension?: string;
  readonly records?: readonly DraftRecord[];
}

/** The place of one transaction in a DataFs. */
export interface Place {
  readonly position: number;
  /** Position after the trailer. */
  readonly end: number;
  readonly tid: bigint;
  /** Positions of the records' headers. */
  readonly records: readonly number[];
}

/** A Data.fs in memory, and the position of everything in it. */
export interface DataFs {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly places: readonly Place[];
}

/** The default tid of a file's n-th transaction: one second apart. */
export function nthTid(n: number): bigint {
  return 0x040d_0000_0000_0000n + BigInt(n) * 0x0444_4444n;
}

export function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** `count` drafts of one record each, with `dataLength` bytes of data. */
export function plain(count: number, dataLength = 20): Draft[] {
  return Array.from({ length: count }, (_, n) => ({ records: [{ data: filler(dataLength, n) }] }));
}

/** Bytes that depend on `seed` and contain no header. */
export function filler(length: number, seed = 0): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => 65 + ((i * 7 + seed * 13) % 50));
}

/** Builds a file from drafts, back to back; `base` is the position of its first byte (an embedded file's is not 0). */
export function dataFs(drafts: readonly Draft[], base = 0): DataFs {
  const parts: Uint8Array[] = [ascii('FS30')];
  const places: Place[] = [];
  let position = base + MAGIC_LENGTH;
  drafts.forEach((draft, n) => {
    const transaction = {
      tid: draft.tid ?? nthTid(n),
      position,
      status: draft.status?.charCodeAt(0) ?? STATUS_COMMITTED,
      user: ascii(draft.user ?? ''),
      description: ascii(draft.description ?? ''),
      extension: ascii(draft.extension ?? ''),
      records: (draft.records ?? []).map(toRecord),
    };
    const bytes = encodeTransaction(transaction);
    const end = position + bytes.length;
    places.push({ position, end, tid: transaction.tid, records: recordPositions(transaction) });
    parts.push(bytes);
    position = end;
  });
  const bytes = new Uint8Array(Buffer.concat(parts));
  return { bytes, view: new DataView(bytes.buffer), places };
}

function toRecord({ oid, prev, data, backPointer }: DraftRecord, n: number): RecordToWrite {
  const common = { oid: oid ?? BigInt(n), prev: prev ?? 0 };
  if (backPointer !== undefined) return { ...common, backPointer };
  return { ...common, data: typeof data === 'string' ? ascii(data) : (data ?? ascii('data')) };
}

/** A copy of `bytes` changed by `change`. */
export function altered(bytes: Uint8Array, change: (view: DataView, bytes: Uint8Array) => void): Uint8Array {
  const copy = bytes.slice();
  change(new DataView(copy.buffer), copy);
  return copy;
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

/** Values that a hostile or rotten 64-bit length or position may have. */
export const HOSTILE: readonly bigint[] = [0n, 1n, 22n, 1n << 31n, (1n << 53n) - 1n, 1n << 53n, (1n << 64n) - 1n];
