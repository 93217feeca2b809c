import fc from 'fast-check';
import { encodedLength, encodeTransaction, type RecordToWrite, recordPositions } from '../../src/filestorage/encode.js';
import { MAGIC_LENGTH, RECORD_HEADER_LENGTH } from '../../src/filestorage/layout.js';
import { ascii, concat, type DataFs, filler, nthTid, type Place } from '../support/data-fs.js';

/**
 * Arbitrary healthy files, as FileStorage and its pack write them: previous pointers refer to the object's previous record,
 * back pointers to an earlier record of the same object, tids rise, a packed part comes first.
 *
 * They are plans, small values that fast-check can shrink, and `build` turns one into bytes: only then are the positions
 * known.
 */
export interface FilePlan {
  /** This many transactions at the start have the status 'p'. */
  readonly packed: number;
  readonly transactions: readonly TransactionPlan[];
}

export interface TransactionPlan {
  /** Old files contain undone transactions, whose content does not matter. */
  readonly undone: boolean;
  readonly user: number;
  readonly description: number;
  readonly extension: number;
  readonly records: readonly RecordPlan[];
}

export interface RecordPlan {
  readonly oid: number;
  readonly content:
    | { readonly kind: 'data'; readonly length: number }
    /** An undo: a pointer to the n-th last record of the object, or 0 when it has none. */
    | { readonly kind: 'undo'; readonly back: number }
    /** A Data.fs as a file object's data; `fitting`: its positions are right for its place. */
    | { readonly kind: 'embedded'; readonly transactions: number; readonly fitting: boolean };
}

const textLength = fc.oneof(
  { weight: 12, arbitrary: fc.constant(0) },
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 40 }) },
  { weight: 2, arbitrary: fc.constantFrom(255, 256, 1000) },
  { weight: 1, arbitrary: fc.constant(0xffff) },
);

const content: fc.Arbitrary<RecordPlan['content']> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constant('data' as const), length: fc.integer({ min: 1, max: 60 }) }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('undo' as const), back: fc.integer({ min: 1, max: 3 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('data' as const), length: fc.constantFrom(7, 8, 9, 41, 42, 43, 5000) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('embedded' as const),
      transactions: fc.integer({ min: 1, max: 3 }),
      fitting: fc.boolean(),
    }),
  },
);

const transaction: fc.Arbitrary<TransactionPlan> = fc.record({
  undone: fc.integer({ min: 0, max: 11 }).map((n) => n === 11),
  user: textLength,
  description: textLength,
  extension: textLength,
  records: fc.array(fc.record({ oid: fc.integer({ min: 0, max: 4 }), content }), { maxLength: 4 }),
});

/** Healthy files of `least` to `most` transactions. */
export function filePlans(least = 1, most = 7): fc.Arbitrary<FilePlan> {
  return fc.record({
    packed: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: most })),
    transactions: fc.array(transaction, { minLength: least, maxLength: most }),
  });
}

/** A built file, and the positions of its back pointers. */
export interface BuiltFile extends DataFs {
  readonly backPointers: readonly number[];
}

export function build(plan: FilePlan): BuiltFile {
  const parts: Uint8Array[] = [ascii('FS30')];
  const places: Place[] = [];
  const backPointers: number[] = [];
  /** Positions of each object's records, oldest first. */
  const history = new Map<number, number[]>();
  let position = MAGIC_LENGTH;
  plan.transactions.forEach((planned, n) => {
    const draft = {
      tid: nthTid(n),
      position,
      status: statusOf(planned, n < plan.packed),
      user: filler(planned.user, n),
      description: filler(planned.description, n + 1),
      extension: filler(planned.extension, n + 2),
    };
    // Lengths do not depend on positions: a first round computes the positions and a second one fills them in.
    const positions = recordPositions({ ...draft, records: recordsOf(planned, history, []) });
    const records = recordsOf(planned, history, positions);
    const end = position + encodedLength({ ...draft, records });
    parts.push(encodeTransaction({ ...draft, records }));
    places.push({ position, end, tid: draft.tid, records: positions });
    records.forEach((record, index) => {
      if ('backPointer' in record) backPointers.push(positions[index]! + RECORD_HEADER_LENGTH);
    });
    if (!planned.undone) {
      planned.records.forEach(({ oid }, index) => {
        history.set(oid, [...(history.get(oid) ?? []), positions[index]!]);
      });
    }
    position = end;
  });
  const bytes = concat(...parts);
  return { bytes, view: new DataView(bytes.buffer), places, backPointers };
}

function statusOf({ undone }: TransactionPlan, packed: boolean): number {
  return (undone ? 'u' : packed ? 'p' : ' ').charCodeAt(0);
}

function recordsOf(
  { records }: TransactionPlan,
  history: ReadonlyMap<number, readonly number[]>,
  positions: readonly number[],
): RecordToWrite[] {
  return records.map(({ oid, content }, n) => {
    const before = history.get(oid) ?? [];
    const common = { oid: BigInt(oid), prev: before.at(-1) ?? 0 };
    if (content.kind === 'undo') return { ...common, backPointer: before.at(-content.back) ?? 0 };
    if (content.kind === 'data') return { ...common, data: filler(content.length, oid + n) };
    const base = content.fitting ? (positions[n] ?? 0) + RECORD_HEADER_LENGTH : 0;
    return { ...common, data: concat(embedded(content.transactions, base), filler(20)) };
  });
}

function embedded(transactions: number, base: number): Uint8Array {
  const parts: Uint8Array[] = [ascii('FS30')];
  let position = base + MAGIC_LENGTH;
  for (let n = 0; n < transactions; n++) {
    const inner = {
      // Mainly the outer file's, which only the structure distinguishes.
      tid: nthTid(100 + n),
      position,
      status: 0x20,
      user: filler(n),
      description: filler(0),
      extension: filler(0),
      records: [{ oid: BigInt(n), prev: 0, data: filler(30, n) }],
    };
    parts.push(encodeTransaction(inner));
    position += encodedLength(inner);
  }
  return concat(...parts);
}
