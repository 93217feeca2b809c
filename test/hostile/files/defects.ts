import { altered, concat, type DataFs, type Draft, dataFs, filler, nthTid } from '../../support/data-fs.js';

/**
 * Small files written by hand, each named by its one defect: where our walk stops, ZODB's verdict, and how a first sync of
 * such a master ends. Positions refer to the common original file, or are the ends of its transactions.
 */
export interface Defect {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly walk: {
    readonly stop: 'end' | 'in-flight' | 'torn' | 'damaged';
    readonly end: number;
    readonly rule?: string;
  };
  /** Where `read_index` ends, and the class of the error that it raises there. */
  readonly readIndex: { readonly end: number; readonly error?: string };
  /** The transaction of `fstest`'s complaint; undefined without one. */
  readonly fstest: number | undefined;
  /** Exit status of a first sync. */
  readonly sync: 0 | 4;
}

const DRAFTS: readonly Draft[] = [
  { description: 'root', records: [{ data: 'root' }] },
  {
    user: 'al',
    records: [
      { oid: 1n, data: filler(60) },
      { oid: 0n, prev: 31, backPointer: 31 },
    ],
  },
  { records: [{ oid: 2n, data: 'behind' }] },
];
const file: DataFs = dataFs(DRAFTS);
const [first, second, third] = file.places as [DataFs['places'][0], DataFs['places'][0], DataFs['places'][0]];
const [record, undo] = second.records as [number, number];
const size = file.bytes.length;

const CORRUPT = 'CorruptedTransactionError';

/** A change of the second of three transactions at which every reader stops. */
function atSecond(name: string, rule: string, error: string, change: (view: DataView) => void): Defect {
  return {
    name,
    bytes: altered(file.bytes, change),
    walk: { stop: 'damaged', end: second.position, rule },
    readIndex: { end: second.position, error },
    fstest: second.position,
    sync: 4,
  };
}

/** A last transaction that breaks a rule; ZODB raises the given error, or treats it as the remains of a crash. */
function atThird(name: string, rule: string, error: string | undefined, bytes: Uint8Array): Defect {
  return {
    name,
    bytes,
    walk: { stop: 'damaged', end: third.position, rule },
    readIndex: { end: third.position, ...(error !== undefined && { error }) },
    fstest: third.position,
    sync: 4,
  };
}

/** A change of the second transaction that ZODB accepts. */
function unseen(name: string, rule: string, change: (view: DataView) => void): Defect {
  return { ...atSecond(name, rule, '', change), readIndex: { end: size }, fstest: undefined };
}

/** A file that is truncated, or unfinished. */
function unfinished(name: string, stop: 'torn' | 'in-flight', bytes: Uint8Array, end: number, sync: 0 | 4 = 0): Defect {
  return { name, bytes, walk: { stop, end }, readIndex: { end }, fstest: end, sync };
}

/** A file that all readers read to its end, except that fstest may complain about one transaction. */
function harmless(name: string, bytes: Uint8Array, fstest?: number): Defect {
  return { name, bytes, walk: { stop: 'end', end: bytes.length }, readIndex: { end: bytes.length }, fstest, sync: 0 };
}

/** A Data.fs in a record's data whose positions are right for its place. */
function embedded(): Uint8Array {
  const dataAt = second.position + 23 + 42;
  const inner = dataFs([{ tid: nthTid(50), records: [{ data: 'inner' }] }], dataAt);
  return dataFs([DRAFTS[0]!, { records: [{ data: concat(inner.bytes, filler(30)) }] }, ...DRAFTS.slice(2)]).bytes;
}

export const DEFECTS: readonly Defect[] = [
  harmless('none', file.bytes),
  harmless('only-the-magic', file.bytes.slice(0, 4)),
  harmless('a-data-fs-in-a-record', embedded()),
  harmless('transaction-without-records-or-texts', dataFs([...DRAFTS, {}]).bytes),
  harmless(
    'tid-equal-to-the-one-before',
    altered(file.bytes, (v) => setTid(v, second.position, first.tid)),
    second.position,
  ),
  harmless(
    'tid-zero-first',
    altered(file.bytes, (v) => setTid(v, first.position, 0n)),
    first.position,
  ),
  harmless(
    'status-x',
    altered(file.bytes, (v) => v.setUint8(second.position + 16, 0x78)),
    second.position,
  ),
  harmless(
    'record-with-another-tid',
    altered(file.bytes, (v) => v.setBigUint64(record + 8, 1n)),
  ),
  harmless(
    'undone-transaction-full-of-rubbish',
    altered(file.bytes, (v, bytes) => {
      v.setUint8(second.position + 16, 0x75);
      bytes.fill(0xff, record, second.end - 8);
    }),
  ),
  {
    ...harmless(
      'magic-of-python-2',
      altered(file.bytes, (v) => v.setUint32(0, 0x46533231)),
      0,
    ),
    readIndex: { end: 0, error: 'FileStorageFormatError' },
  },
  {
    ...harmless(
      'magic-of-nobody',
      altered(file.bytes, (v) => v.setUint32(0, 0x46533939)),
      0,
    ),
    readIndex: { end: 0, error: 'FileStorageFormatError' },
    sync: 4,
  },
  {
    ...harmless(
      'tid-of-all-ones',
      altered(file.bytes, (v) => setTid(v, second.position, (1n << 64n) - 1n)),
      third.position,
    ),
    readIndex: { end: second.position },
  },

  atSecond('transaction-length-one-more', 'record-length', CORRUPT, (v) => add(v, second.position + 8, 1)),
  atSecond('transaction-length-one-less', 'record-length', CORRUPT, (v) => add(v, second.position + 8, -1)),
  atSecond('transaction-length-0', 'transaction-length', CORRUPT, (v) => v.setBigUint64(second.position + 8, 0n)),
  atSecond('status-0x80', 'status', 'UnicodeDecodeError', (v) => v.setUint8(second.position + 16, 0x80)),
  atSecond('user-longer-than-the-transaction', 'transaction-length', CORRUPT, (v) =>
    v.setUint16(second.position + 17, 0xffff),
  ),
  atSecond('data-length-beyond-the-transaction', 'record-length', CORRUPT, (v) => add(v, record + 34, 60)),
  atSecond('data-length-2^53', 'record-length', CORRUPT, (v) => v.setBigUint64(record + 34, 1n << 53n)),
  atSecond('transaction-pointer-to-another', 'record-tloc', CORRUPT, (v) => v.setBigUint64(record + 24, 4n)),
  atSecond('trailer-of-another-length', 'trailer', CORRUPT, (v) => add(v, second.end - 8, 1)),
  atSecond('record-header-of-zeros', 'record-tloc', CORRUPT, (v) =>
    new Uint8Array(v.buffer).fill(0, record, record + 42),
  ),
  atSecond('version-length', 'version-length', 'ValueError', (v) => v.setUint16(record + 32, 7)),
  {
    ...atSecond('record-of-the-days-of-versions', 'version-length', 'ValueError', (v) => {
      v.setUint16(record + 32, 4);
      add(v, record + 34, -20);
    }),
    fstest: undefined,
  },
  atThird(
    'record-header-beyond-the-end-of-the-file',
    'record-length',
    'CorruptedDataError',
    altered(file.bytes, (v) => v.setUint16(third.position + 19, 40)),
  ),
  atThird(
    'impossible-header-and-rubbish-at-the-end',
    'transaction-length',
    undefined,
    altered(file.bytes, (v) => {
      v.setBigUint64(third.position + 8, 5n);
      v.setBigUint64(size - 8, (1n << 64n) - 1n);
    }),
  ),

  unseen('previous-pointer-to-itself', 'previous-pointer', (v) => v.setBigUint64(record + 16, BigInt(record))),
  unseen('previous-pointer-of-all-ones', 'previous-pointer', (v) => v.setBigUint64(record + 16, (1n << 64n) - 1n)),
  unseen('back-pointer-to-itself', 'back-pointer', (v) => v.setBigUint64(undo + 42, BigInt(undo))),
  unseen('back-pointer-beyond-the-file', 'back-pointer', (v) => v.setBigUint64(undo + 42, 1n << 40n)),

  unfinished('last-transaction-in-flight', 'in-flight', inFlight(third.position), third.position),
  unfinished('in-flight-in-the-middle', 'in-flight', inFlight(second.position), second.position, 4),
  unfinished('ends-in-a-header', 'torn', file.bytes.slice(0, third.position + 22), third.position),
  unfinished('ends-in-a-record', 'torn', file.bytes.slice(0, third.position + 30), third.position),
  unfinished('ends-one-byte-early', 'torn', file.bytes.slice(0, size - 1), third.position),
  {
    ...unfinished(
      'ends-one-byte-early-with-status-0x80',
      'torn',
      altered(file.bytes.slice(0, size - 1), (v) => v.setUint8(third.position + 16, 0x80)),
      third.position,
    ),
    readIndex: { end: third.position, error: 'UnicodeDecodeError' },
  },
  unfinished('zeros-behind', 'torn', concat(file.bytes, new Uint8Array(100)), size),
  unfinished('one-zero-behind', 'torn', concat(file.bytes, new Uint8Array(1)), size),
  unfinished(
    'length-beyond-the-file-in-the-middle',
    'torn',
    altered(file.bytes, (v) => add(v, second.position + 8, 9999)),
    second.position,
    4,
  ),
  {
    ...unfinished(
      'zeros-in-the-middle',
      'torn',
      altered(file.bytes, (_, b) => b.fill(0, second.position, second.position + 23)),
      second.position,
      4,
    ),
    readIndex: { end: second.position, error: CORRUPT },
  },
];

function inFlight(position: number): Uint8Array {
  return altered(file.bytes, (view) => view.setUint8(position + 16, 0x63));
}

/** Gives a transaction and its records another tid. */
function setTid(view: DataView, position: number, tid: bigint): void {
  const place = file.places.find((one) => one.position === position)!;
  for (const at of [position, ...place.records.map((one) => one + 8)]) view.setBigUint64(at, tid);
}

function add(view: DataView, at: number, count: number): void {
  view.setBigUint64(at, view.getBigUint64(at) + BigInt(count));
}
