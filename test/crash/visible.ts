import type { BlobKey } from './blob-site.js';

const MAGIC_LENGTH = 4;
const HEADER_LENGTH = 23;
const RECORD_LENGTH = 42;
const POINTER_LENGTH = 8;
const STATUSES: ReadonlySet<number> = new Set([...' pu'].map((status) => status.charCodeAt(0)));

/** The records of a transaction that ZODB shows. */
export interface Shown extends BlobKey {
  /** Where its transaction ends. */
  readonly end: number;
}

const known = new WeakMap<Uint8Array, { readonly end: number; readonly records: readonly Shown[] }>();

/**
 * What ZODB shows of a Data.fs: the records of all transactions before the first that is in flight, or incomplete. It has
 * its own walker, so that the product does not judge itself. `end` is compared with the real FileStorage's.
 */
export function shownIn(bytes: Uint8Array): { readonly end: number; readonly records: readonly Shown[] } {
  const found = known.get(bytes);
  if (found) return found;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const records: Shown[] = [];
  let position = MAGIC_LENGTH;
  while (position + HEADER_LENGTH <= bytes.length) {
    const length = Number(view.getBigUint64(position + 8));
    const end = position + length + POINTER_LENGTH;
    if (!STATUSES.has(bytes[position + 16] ?? 0) || length < HEADER_LENGTH || end > bytes.length) break;
    if (Number(view.getBigUint64(end - POINTER_LENGTH)) !== length) break;
    const texts = view.getUint16(position + 17) + view.getUint16(position + 19) + view.getUint16(position + 21);
    for (let at = position + HEADER_LENGTH + texts; at + RECORD_LENGTH <= end - POINTER_LENGTH; ) {
      const data = Number(view.getBigUint64(at + 34));
      records.push({ oid: view.getBigUint64(at), tid: view.getBigUint64(position), end });
      at += RECORD_LENGTH + (data === 0 ? POINTER_LENGTH : data);
    }
    position = end;
  }
  const shown = { end: position, records };
  known.set(bytes, shown);
  return shown;
}
