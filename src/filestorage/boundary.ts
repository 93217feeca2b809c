import {
  bodyOffset,
  RECORD_HEADER_LENGTH,
  readPosition,
  readTransactionHeader,
  STATUS_COMMITTED,
  STATUS_PACKED,
  STATUS_UNDONE,
  TLOC_OFFSET,
  TRAILER_LENGTH,
  TRANSACTION_HEADER_LENGTH,
} from './layout.js';

/**
 * Finds a likely transaction boundary without walking to it: a header whose first record has the same tid and names
 * that position as its transaction (`tloc` is an absolute position). A transaction without records has no such evidence
 * and is skipped.
 *
 * The result is a guess: somebody may have stored a Data.fs inside a Data.fs. The caller has to prove it by walking to
 * it.
 *
 * @param view the bytes to search, at least `length` of them
 * @param base file position of the view's first byte
 * @param limit the file's size
 * @returns a file position; undefined when the view has no such header
 */
export function findBoundary(view: DataView, length: number, base: number, limit: number): number | undefined {
  const lastOffset = length - TRANSACTION_HEADER_LENGTH - RECORD_HEADER_LENGTH;
  for (let offset = 0; offset <= lastOffset; offset++) {
    const status = view.getUint8(offset + 16);
    if (status !== STATUS_COMMITTED && status !== STATUS_PACKED && status !== STATUS_UNDONE) continue;
    const position = base + offset;
    const transactionLength = readPosition(view, offset + 8);
    if (transactionLength > limit - position - TRAILER_LENGTH) continue;
    const header = readTransactionHeader(view, offset);
    const record = offset + bodyOffset(header);
    if (record + RECORD_HEADER_LENGTH > length || bodyOffset(header) + RECORD_HEADER_LENGTH > transactionLength)
      continue;
    if (readPosition(view, record + TLOC_OFFSET) !== position) continue;
    if (view.getBigUint64(record + 8) === header.tid) return position;
  }
  return undefined;
}
