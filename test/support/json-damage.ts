import { readFileSync, writeFileSync } from 'node:fs';
import { dataFs, nthTid } from './data-fs.js';
import { fieldsOf } from './fields.js';
import type { Pair } from './pair.js';

/** The field that breaks each rule of the format, of a transaction or of a record in it, and the value that does. */
const BREAKING: Readonly<Record<string, readonly [string, number]>> = {
  status: ['status', 0x80],
  'transaction-length': ['length', 1],
  'record-length': ['0 data length', 2 ** 40],
  'record-tloc': ['0 transaction pointer', 1],
  'version-length': ['0 version length', 1],
  'previous-pointer': ['0 previous', 2 ** 40],
  'back-pointer': ['0 back pointer', 2 ** 40],
  trailer: ['trailer', 1],
};

/** Those that ZODB does not stop at. */
const WARNED: Readonly<Record<string, readonly [string, number]>> = {
  'tid-order': ['tid', 1],
  'unknown-status': ['status', 0x41],
  'record-tid': ['0 record tid', 1],
};

/** Commits three transactions more, the second of them an undo of the first. */
export function commitWithUndo(pair: Pair): void {
  pair.commit('to be undone');
  const { edits } = pair.site.pages(new Map([[1, '']]));
  pair.site.commit({ edits: edits.map(({ oid }) => ({ oid, undo: true })) });
  pair.commit('behind it');
}

/** Breaks a rule in the last transaction but one of a file. */
export function breakRule(path: string, rule: string): void {
  const bytes = readFileSync(path);
  const fields = fieldsOf(bytes);
  const last = Number.parseInt(fields.at(-1)?.name ?? '', 10);
  const [name, value] = { ...BREAKING, ...WARNED }[rule] ?? ['', 0];
  const field = fields.find((each) => each.name === `${last - 1} ${name}`);
  if (!field) throw new Error(`${path} has no field for ${rule}`);
  bytes.write(
    BigInt(value)
      .toString(16)
      .padStart(field.length * 2, '0'),
    field.position,
    'hex',
  );
  writeFileSync(path, bytes);
}

/** Breaks the rules one by one; the file is as before then. */
export function whileBroken(path: string, use: () => void, warned = false): void {
  const bytes = readFileSync(path);
  for (const rule of Object.keys({ ...BREAKING, ...(warned && WARNED) })) {
    breakRule(path, rule);
    use();
    writeFileSync(path, bytes);
  }
}

/** A Data.fs of so many transactions, some of whose tids name no time: they are of a 31st of February. */
export function timeless(count: number): Uint8Array {
  const day = BigInt((((2026 - 1900) * 12 + 1) * 31 + 30) * 24 * 60);
  const tids = Array.from({ length: count }, (_, n) => (day << 32n) + BigInt(n + 1));
  return dataFs(tids.map((tid) => ({ tid, user: 'somebody', records: [{ data: `of ${tid}` }] }))).bytes;
}

/** A Data.fs of ten transactions; of its data every byte is another one with another `seed`. */
export function written(seed: number): Uint8Array {
  const data = String.fromCharCode(65 + seed).repeat(50);
  return dataFs(Array.from({ length: 10 }, (_, n) => ({ tid: nthTid(n), records: [{ oid: BigInt(n), data }] }))).bytes;
}

/** Flips a bit of the first place where a file has this text. */
export function flip(path: string, text: string): void {
  const bytes = readFileSync(path);
  const at = bytes.indexOf(text);
  if (at < 0) throw new Error(`${path} does not have ${text}`);
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  writeFileSync(path, bytes);
}

/** A Data.fs whose first transaction holds these objects; others follow it. */
export function holding(oids: readonly number[]): Uint8Array {
  const records = oids.map((oid) => ({ oid: BigInt(oid), data: `object ${oid}` }));
  const others = [1, 2].map((n) => ({ tid: nthTid(n), records: [{ oid: 9n, data: `edit ${n}` }] }));
  return dataFs([{ tid: nthTid(0), records }, ...others]).bytes;
}
