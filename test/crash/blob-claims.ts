import { xxh64 } from '../support/chunks.js';
import { keyOf } from './blob-site.js';

const ITEM = 32;
const ONES = 0xffff_ffff_ffff_ffffn;
const HASH_AT = 24;

/** A blob in a manifest; undefined: recorded as missing. */
export type Noted = { readonly length: number; readonly hash: string } | undefined;

/**
 * The entries of the first `length` bytes of a manifest, if their last seal has this hash; a text otherwise. After the
 * format at the head of src/blobs/manifest.ts, and without that code.
 */
export function notedIn(bytes: Uint8Array, length: number, hash: string): ReadonlyMap<string, Noted> | string {
  if (bytes.length < length) return `it has ${bytes.length} bytes of the ${length} that are claimed`;
  if (length % ITEM !== 0 || length === 0) return `${length} bytes are claimed of it`;
  const view = Buffer.from(bytes.subarray(0, length));
  const noted = new Map<string, Noted>();
  let pending: [string, Noted][] = [];
  let all = 0n;
  let last = '';
  let before = Buffer.alloc(8);
  let begin = 0;
  for (let at = 0; at < length; at += ITEM) {
    const [oid, tid] = [view.readBigUInt64BE(at), view.readBigUInt64BE(at + 8)];
    const digits = view.subarray(at + HASH_AT, at + ITEM).toString('hex');
    if (oid !== ONES) {
      const size = view.readBigUInt64BE(at + 16);
      pending.push([keyOf({ oid, tid }), size === ONES ? undefined : { length: Number(size), hash: digits }]);
      continue;
    }
    all += BigInt(pending.length);
    const chained = xxh64(Buffer.concat([before, view.subarray(begin, at + HASH_AT)]));
    const isSeal =
      view.readUInt32BE(at + 8) === pending.length && view.readBigUInt64BE(at + 16) === all && chained === digits;
    if (!isSeal) return `the seal at ${at} is wrong`;
    for (const [key, entry] of pending) noted.set(key, entry);
    pending = [];
    begin = at + ITEM;
    before = view.subarray(at + HASH_AT, at + ITEM);
    last = digits;
  }
  if (pending.length > 0) return 'no seal ends it';
  return last === hash ? noted : `its last seal is ${last}, claimed is ${hash}`;
}
