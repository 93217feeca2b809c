import fc from 'fast-check';
import { MAGIC_LENGTH, RECORD_HEADER_LENGTH, TRAILER_LENGTH } from '../../src/filestorage/layout.js';
import { altered, concat, filler, HOSTILE } from '../support/data-fs.js';
import { type BuiltFile, build, type FilePlan, filePlans } from './generate.js';

/** A field of the format that can be changed: its offset from a transaction's or a record's header, and its bytes. */
const FIELDS = {
  tid: { of: 'transaction', offset: 0, width: 8 },
  'transaction length': { of: 'transaction', offset: 8, width: 8 },
  status: { of: 'transaction', offset: 16, width: 1 },
  'user length': { of: 'transaction', offset: 17, width: 2 },
  'description length': { of: 'transaction', offset: 19, width: 2 },
  'extension length': { of: 'transaction', offset: 21, width: 2 },
  oid: { of: 'record', offset: 0, width: 8 },
  'record tid': { of: 'record', offset: 8, width: 8 },
  'previous pointer': { of: 'record', offset: 16, width: 8 },
  'transaction pointer': { of: 'record', offset: 24, width: 8 },
  'version length': { of: 'record', offset: 32, width: 2 },
  'data length': { of: 'record', offset: 34, width: 8 },
  'back pointer': { of: 'back pointer', offset: 0, width: 8 },
  trailer: { of: 'end', offset: -TRAILER_LENGTH, width: 8 },
} as const;

export type FieldName = keyof typeof FIELDS;

/** The new value of a field: a fixed one, or one near a position of the file. */
export type Value =
  | { readonly kind: 'is'; readonly value: bigint }
  | {
      readonly kind: 'near';
      readonly what: 'itself' | 'its place' | 'its transaction' | 'the end of the file' | 'another transaction';
      readonly plus: number;
    };

/** One change of a healthy file. `which` chooses among the existing places, modulo their number. */
export type Damage =
  | { readonly kind: 'field'; readonly name: FieldName; readonly which: number; readonly value: Value }
  | { readonly kind: 'bit'; readonly which: number }
  | {
      readonly kind: 'zeros';
      readonly from: 'anywhere' | 'a transaction';
      readonly which: number;
      readonly length: number;
    }
  /** A record from the time of versions: its data begins with a version's name and the 16 bytes that belong to it. */
  | { readonly kind: 'version'; readonly which: number; readonly length: number }
  | { readonly kind: 'cut'; readonly which: number }
  | { readonly kind: 'appended'; readonly what: 'zeros' | 'garbage' | 'the file'; readonly length: number }
  | { readonly kind: 'removed' | 'doubled' | 'moved to the end'; readonly transaction: number }
  | { readonly kind: 'piece removed' | 'piece doubled'; readonly which: number; readonly length: number }
  | { readonly kind: 'magic'; readonly to: 'FS21' | 'FS29' };

const STATUSES = [0x63, 0x75, 0x70, 0x78, 0x80, 0xff, 0x00].map(BigInt);

const value: fc.Arbitrary<Value> = fc.oneof(
  fc.record({ kind: fc.constant('is' as const), value: fc.constantFrom(...HOSTILE, ...STATUSES, 23n, 30n, 31n, 50n) }),
  fc.record({
    kind: fc.constant('near' as const),
    what: fc.constantFrom(
      'itself' as const,
      'its place' as const,
      'its transaction' as const,
      'the end of the file' as const,
      'another transaction' as const,
    ),
    plus: fc.constantFrom(0, -1, 1, -8, 8, -31, 42),
  }),
);

const which = fc.nat(10_000);

const field: fc.Arbitrary<Damage> = fc.record({
  kind: fc.constant('field' as const),
  name: fc.constantFrom(...(Object.keys(FIELDS) as FieldName[])),
  which,
  value,
});

const status: fc.Arbitrary<Damage> = fc.record({
  kind: fc.constant('field' as const),
  name: fc.constant('status' as const),
  which,
  value: fc.record({ kind: fc.constant('is' as const), value: fc.constantFrom(...STATUSES) }),
});

const elsewhere: fc.Arbitrary<Damage> = fc.oneof(
  fc.record({ kind: fc.constant('bit' as const), which: fc.nat(1 << 20) }),
  fc.record({
    kind: fc.constant('zeros' as const),
    from: fc.constantFrom('anywhere' as const, 'a transaction' as const),
    which,
    length: fc.constantFrom(1, 8, 23, 42, 65, 300),
  }),
  fc.record({ kind: fc.constant('version' as const), which, length: fc.integer({ min: 1, max: 8 }) }),
  fc.record({ kind: fc.constant('cut' as const), which }),
  fc.record({
    kind: fc.constant('appended' as const),
    what: fc.constantFrom('zeros' as const, 'garbage' as const, 'the file' as const),
    length: fc.constantFrom(1, 8, 22, 23, 31, 300),
  }),
  fc.record({
    kind: fc.constantFrom('removed' as const, 'doubled' as const, 'moved to the end' as const),
    transaction: fc.nat(7),
  }),
  fc.record({
    kind: fc.constantFrom('piece removed' as const, 'piece doubled' as const),
    which,
    length: fc.constantFrom(1, 8, 31, 50, 200),
  }),
  fc.record({ kind: fc.constant('magic' as const), to: fc.constantFrom('FS21' as const, 'FS29' as const) }),
);

export const damages: fc.Arbitrary<Damage> = fc.oneof(
  { weight: 8, arbitrary: field },
  { weight: 1, arbitrary: status },
  { weight: 4, arbitrary: elsewhere },
);

/** A healthy file and its changes; printed like this when a test fails. */
export interface HostileFile {
  readonly plan: FilePlan;
  readonly damages: readonly Damage[];
}

/** Files of `least` to `most` transactions with none to three changes. */
export function hostileFiles(least = 1, most = 7): fc.Arbitrary<HostileFile> {
  return fc.record({ plan: filePlans(least, most), damages: fc.array(damages, { maxLength: 3 }) });
}

/** The file's bytes. Each change applies to the result of the previous ones. */
export function bytesOf({ plan, damages }: HostileFile): Uint8Array {
  const file = build(plan);
  return damages.reduce((bytes, damage) => damaged(bytes, damage, file), file.bytes);
}

/** The bytes with one more change; its position is that in the healthy file. */
export function damaged(bytes: Uint8Array, damage: Damage, file: BuiltFile): Uint8Array {
  const at = (n: number): number => MAGIC_LENGTH + (n % Math.max(1, bytes.length - MAGIC_LENGTH));
  switch (damage.kind) {
    case 'field':
      return setField(bytes, damage, file);
    case 'bit':
      return altered(bytes, (_, copy) => {
        const bit = damage.which % Math.max(1, bytes.length * 8);
        if (bit >> 3 < copy.length) copy[bit >> 3] = copy[bit >> 3]! ^ (1 << (bit & 7));
      });
    case 'zeros': {
      const start =
        damage.from === 'anywhere' ? at(damage.which) : file.places[damage.which % file.places.length]!.position;
      return altered(bytes, (_, copy) => copy.fill(0, start, start + damage.length));
    }
    case 'version': {
      const record = placeOf('version length', damage.which, file);
      if (record === undefined || record + RECORD_HEADER_LENGTH > bytes.length) return bytes;
      return altered(bytes, (view) => {
        const dataLength = view.getBigUint64(record + 34) - 16n - BigInt(damage.length);
        if (dataLength <= 0n) return;
        view.setUint16(record + 32, damage.length);
        view.setBigUint64(record + 34, dataLength);
      });
    }
    case 'cut':
      return bytes.slice(0, at(damage.which));
    case 'appended': {
      const { what, length } = damage;
      return concat(bytes, what === 'zeros' ? new Uint8Array(length) : what === 'garbage' ? filler(length) : bytes);
    }
    case 'removed':
    case 'doubled':
    case 'moved to the end': {
      const { position, end } = file.places[damage.transaction % file.places.length]!;
      const [before, it, after] = [bytes.slice(0, position), bytes.slice(position, end), bytes.slice(end)];
      if (damage.kind === 'removed') return concat(before, after);
      return damage.kind === 'doubled' ? concat(before, it, it, after) : concat(before, after, it);
    }
    case 'piece removed':
      return concat(bytes.slice(0, at(damage.which)), bytes.slice(at(damage.which) + damage.length));
    case 'piece doubled':
      return concat(bytes.slice(0, at(damage.which) + damage.length), bytes.slice(at(damage.which)));
    case 'magic':
      return altered(bytes, (_, copy) => copy.set(new TextEncoder().encode(damage.to).subarray(0, copy.length)));
  }
}

function setField(bytes: Uint8Array, damage: Damage & { kind: 'field' }, file: BuiltFile): Uint8Array {
  const { offset, width } = FIELDS[damage.name];
  const chosen = placeOf(damage.name, damage.which, file);
  if (chosen === undefined) return bytes;
  const at = chosen + offset;
  if (at + width > bytes.length) return bytes;
  return altered(bytes, (view) => {
    const next = numberOf(damage.value, at, view, file) & ((1n << BigInt(8 * width)) - 1n);
    if (width === 8) view.setBigUint64(at, next);
    else if (width === 2) view.setUint16(at, Number(next));
    else view.setUint8(at, Number(next));
  });

  function numberOf(value: Value, at: number, view: DataView, { places }: BuiltFile): bigint {
    if (value.kind === 'is') return value.value;
    const plus = BigInt(value.plus);
    switch (value.what) {
      case 'itself':
        if (width === 8) return view.getBigUint64(at) + plus;
        return BigInt(width === 2 ? view.getUint16(at) : view.getUint8(at)) + plus;
      case 'its place':
        return BigInt(at) + plus;
      case 'its transaction':
        return BigInt(places.findLast(({ position }) => position <= at)?.position ?? 0) + plus;
      case 'the end of the file':
        return BigInt(view.byteLength - at) + plus;
      case 'another transaction':
        return BigInt(places[damage.which % places.length]!.position) + plus;
    }
  }
}

/** The header, back pointer or end that a field's offset refers to; undefined if the file has none of the kind. */
function placeOf(name: FieldName, which: number, { places, backPointers }: BuiltFile): number | undefined {
  const transaction = places[which % places.length]!;
  switch (FIELDS[name].of) {
    case 'transaction':
      return transaction.position;
    case 'end':
      return transaction.end;
    case 'back pointer':
      return backPointers[which % Math.max(1, backPointers.length)];
    case 'record': {
      const records = places.flatMap((place) => place.records);
      return records[which % Math.max(1, records.length)];
    }
  }
}
