import { constants, inflateSync } from 'node:zlib';

/**
 * The class of an object, read from the beginning of its record, for reports. Nothing is unpickled: the first pickle of a record
 * is a reference to the class, or a tuple that begins with one, in one of these forms:
 *
 * ```
 * [80 P] [95 FRAME(8)] [( | ((]
 * c MODULE\n NAME\n
 *   or STRING [MEMO] STRING [MEMO] and 93, t or 86;   STRING is U or 8c LENGTH(1), or X LENGTH(4), then its bytes
 * ```
 */

/** As many bytes of a record are enough. */
export const CLASS_PREFIX = 512;

const DOT = 0x2e;
const COMPRESSED = 0x7a;
const PROTO = 0x80;
const FRAME = 0x95;
const MARK = 0x28;
const GLOBAL = 0x63;
const ENDS: ReadonlySet<number> = new Set([0x93, 0x74, 0x86]);
const MEMO_BYTES: Readonly<Record<number, number>> = { 148: 1, 113: 2, 114: 5 };
const MOST_MARKS = 2;
const NAME = /^[\p{L}\p{N}_.]{1,200}$/u;

/** `module.Name`; undefined where the record shows none, as an encrypted one. `data`: its first CLASS_PREFIX bytes. */
export function classNameOf(data: Uint8Array): string | undefined {
  const bytes = Buffer.from(data[0] === DOT && data[1] === COMPRESSED ? inflated(data.subarray(2)) : data);
  let at = bytes[0] === PROTO ? 2 : 0;
  if (bytes[at] === FRAME) at += 9;
  for (let marks = 0; marks < MOST_MARKS && bytes[at] === MARK; marks++) at++;
  const [module, name] = bytes[at] === GLOBAL ? namesInLines(bytes, at + 1) : namesInStrings(bytes, at);
  const full = `${module}.${name}`;
  return module !== undefined && name !== undefined && NAME.test(full) ? full : undefined;
}

function inflated(data: Uint8Array): Uint8Array {
  try {
    // The data may be cut off: what can be inflated of it is enough.
    return inflateSync(data, { finishFlush: constants.Z_SYNC_FLUSH });
  } catch {
    return new Uint8Array();
  }
}

function namesInLines(bytes: Buffer, at: number): readonly (string | undefined)[] {
  const [module, name, ...rest] = bytes.toString('utf8', at, at + CLASS_PREFIX).split('\n');
  return rest.length > 0 ? [module, name] : [];
}

function namesInStrings(bytes: Buffer, at: number): readonly (string | undefined)[] {
  const module = stringAt(bytes, at);
  const name = module && stringAt(bytes, module.end);
  return name && ENDS.has(bytes[name.end] ?? 0) ? [module.text, name.text] : [];
}

/** The string at a place, and the place behind it and its memo. */
function stringAt(bytes: Buffer, at: number): { readonly text: string; readonly end: number } | undefined {
  const lengthBytes = { 85: 1, 140: 1, 88: 4 }[bytes[at] ?? 0];
  const start = at + 1 + (lengthBytes ?? 0);
  if (lengthBytes === undefined || start > bytes.length) return undefined;
  const end = start + bytes.readUIntLE(at + 1, lengthBytes);
  if (end >= bytes.length) return undefined;
  return { text: bytes.toString('utf8', start, end), end: end + (MEMO_BYTES[bytes[end] ?? 0] ?? 0) };
}
