import type { ByteSource } from '../filestorage/backward.js';
import { findBoundary } from '../filestorage/boundary.js';
import { bodyOffset, readPosition, TRAILER_LENGTH, TRANSACTION_HEADER_LENGTH } from '../filestorage/layout.js';
import { headerAt } from '../pipeline/records.js';

/**
 * Finds where transactions resume after damage. The result is a good guess, and the walk that begins there proves or
 * refutes it. Each guess lies after the one before, so the file is read only once, however damaged it is.
 */
const BLOCK = 1 << 20;
/**
 * Longest distance from the start of a transaction to the end of its first record's header, which findBoundary reads.
 */
const LONGEST_HEAD = TRANSACTION_HEADER_LENGTH + 3 * 0xffff + 42;

/** The end of the transaction at `position` if its header and trailer agree on the length; undefined otherwise. */
export async function agreedEnd(file: ByteSource, position: number, limit: number): Promise<number | undefined> {
  const header = await headerAt(file, position, limit);
  if (!header || header.length < bodyOffset(header)) return undefined;
  const trailerAt = position + header.length;
  if (trailerAt + TRAILER_LENGTH > limit) return undefined;
  return (await lengthAt(file, trailerAt)) === header.length ? trailerAt + TRAILER_LENGTH : undefined;
}

/** The 8-byte number at `position`; Infinity if it lies beyond the end of the file or exceeds any real position. */
export async function lengthAt(file: ByteSource, position: number): Promise<number> {
  const bytes = new Uint8Array(TRAILER_LENGTH);
  if ((await file.readBytes(bytes, position)) < bytes.length) return Number.POSITIVE_INFINITY;
  return readPosition(new DataView(bytes.buffer), 0);
}

/**
 * Where transactions resume after the bad one at `bad`: at its own end, if header and trailer agree on it, or if the
 * file ends or another complete transaction begins at the end that its header states; otherwise at the next likely
 * boundary whose trailer agrees.
 *
 * @param known a transaction boundary after `bad` from another source; the search ends there
 * @returns undefined when there is none up to `limit`
 */
export async function nextBoundary(
  file: ByteSource,
  bad: number,
  limit: number,
  known: number | undefined,
): Promise<number | undefined> {
  const own = await agreedEnd(file, bad, limit);
  if (own !== undefined) return own;
  const header = await headerAt(file, bad, limit);
  const stated = header && header.length >= bodyOffset(header) ? bad + header.length + TRAILER_LENGTH : limit + 1;
  if (stated === limit || (stated < limit && (await agreedEnd(file, stated, limit)) !== undefined)) return stated;
  const until = known ?? limit;
  const block = new Uint8Array(BLOCK);
  const whole = new DataView(block.buffer);
  for (let start = bad + 1; start < until; ) {
    const length = await file.readBytes(block.subarray(0, Math.min(BLOCK, limit - start)), start);
    for (let offset = 0; offset < length; ) {
      const view = new DataView(block.buffer, offset, length - offset);
      const found = findBoundary(view, view.byteLength, start + offset, limit);
      if (found === undefined || found >= until) break;
      offset = found - start;
      const trailer = offset + readPosition(whole, offset + 8);
      const agrees =
        trailer + TRAILER_LENGTH <= length
          ? readPosition(whole, trailer) === trailer - offset
          : (await agreedEnd(file, found, limit)) !== undefined;
      if (agrees) return found;
      offset++;
    }
    if (length < BLOCK) break;
    start += BLOCK - LONGEST_HEAD;
  }
  return known;
}
