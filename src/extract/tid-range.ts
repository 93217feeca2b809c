import { BackwardReader } from '../filestorage/backward.js';
import type { Readable } from '../pipeline/scan.js';

/** Positions of whole transactions. `broken`: the chain of trailers breaks at this position. */
export type TidRange =
  | { readonly kind: 'found'; readonly from: number; readonly end: number }
  | { readonly kind: 'none' }
  | { readonly kind: 'broken'; readonly position: number };

/**
 * The transactions of a file from the first one that is not older than `from` to the last one that is not newer than `to`, found
 * from the file's end. Where tids do not rise, those between the two in the file belong to them.
 * @param end the end of the last finished transaction
 */
export async function findTidRange(
  file: Readable,
  end: number,
  from: bigint,
  to: bigint | undefined,
): Promise<TidRange> {
  const transactions = new BackwardReader(file).from(end);
  let found: { readonly from: number; readonly end: number } | undefined;
  let position = end;
  for (;;) {
    const next = await transactions.next();
    if (next.done && next.value === 'broken') return { kind: 'broken', position };
    if (next.done || next.value.tid < from) return found ? { kind: 'found', ...found } : { kind: 'none' };
    position = next.value.position;
    if (found) found = { from: position, end: found.end };
    else if (to === undefined || next.value.tid <= to) found = { from: position, end: next.value.end };
  }
}
