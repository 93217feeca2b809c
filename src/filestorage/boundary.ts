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
 * Finds a place that looks like the beginning of a transaction, without walking there: a header whose first record names
 * that very place as its transaction (`tloc` is an absolute position) and has the same tid. A transaction without
 * records has nothing that could prove it and is passed over.
 *
 * It is a guess: somebody may have stored a Data.fs inside a Data.fs. Whoever uses it proves it by walking there.
 *
 * @param view the bytes to search, at least `length` of them
 * @param base position in the file of the view's first byte
 * @param limit the file's size
 * @returns position in the file, or undefined when there is none in the view
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
