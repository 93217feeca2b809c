import {
  bodyOffset,
  MAGIC_LENGTH,
  RECORD_HEADER_LENGTH,
  readPosition,
  readTransactionHeader,
  SMALLEST_TRANSACTION,
  STATUS_IN_FLIGHT,
  STATUS_UNDONE,
  TLOC_OFFSET,
  TRAILER_LENGTH,
  TRANSACTION_HEADER_LENGTH,
} from './layout.js';

/** A source of bytes that is read by position. A read is short only at the end of the source. */
export interface ByteSource {
  readonly size: number;
  readBytes(into: Uint8Array, position: number): number | Promise<number>;
}

export interface FoundTransaction {
  readonly position: number;
  /** Position after the trailer. */
  readonly end: number;
  readonly tid: bigint;
  readonly status: number;
  readonly userLength: number;
  readonly descriptionLength: number;
  readonly extensionLength: number;
}

const BLOCK = 65_536;

/**
 * Reads a file's transactions from its end, newest first, by their trailers: cheap where only the newest ones matter.
 * It reads headers, trailers and the first record only, so what it returns may inform a decision but never justifies
 * copying a byte.
 */
export class BackwardReader {
  private readonly block: Uint8Array<ArrayBuffer>;
  private blockStart = 0;
  private blockLength = 0;

  /** `blockBytes`: so many are read at once. */
  constructor(
    private readonly source: ByteSource,
    private readonly blockBytes = BLOCK,
  ) {
    this.block = new Uint8Array(blockBytes);
  }

  /** The transaction that ends at `end`; undefined when there is none. */
  async endingAt(end: number): Promise<FoundTransaction | undefined> {
    if (end < MAGIC_LENGTH + SMALLEST_TRANSACTION) return undefined;
    const trailer = await this.view(end - TRAILER_LENGTH, TRAILER_LENGTH, end);
    if (!trailer) return undefined;
    const length = readPosition(trailer, 0);
    const position = end - TRAILER_LENGTH - length;
    if (length < TRANSACTION_HEADER_LENGTH || position < MAGIC_LENGTH) return undefined;
    const view = await this.view(position, TRANSACTION_HEADER_LENGTH, end);
    if (!view) return undefined;
    const header = readTransactionHeader(view, 0);
    const body = bodyOffset(header);
    if (header.length !== length || body > length || header.status >= 0x80) return undefined;
    // The body of an undone transaction is not checked (see Walk).
    if (body < length && header.status !== STATUS_UNDONE) {
      const record = await this.view(position + body, RECORD_HEADER_LENGTH, end);
      if (!record || readPosition(record, TLOC_OFFSET) !== position) return undefined;
    }
    const { tid, status, userLength, descriptionLength, extensionLength } = header;
    return { position, end, tid, status, userLength, descriptionLength, extensionLength };
  }

  /**
   * Transactions from `end` backwards. Skips in-flight ones at the end of the file. Stops at the first transaction of
   * the file, or where the chain of trailers breaks; the return value reports which.
   */
  async *from(end: number): AsyncGenerator<FoundTransaction, 'start' | 'broken'> {
    let position = end;
    while (position > MAGIC_LENGTH) {
      const found = await this.endingAt(position);
      if (!found) return 'broken';
      position = found.position;
      if (found.status !== STATUS_IN_FLIGHT) yield found;
    }
    return 'start';
  }

  /**
   * A view of `length` bytes at `position`. On a miss, reads a block that ends near `end`, so that further backward
   * reads hit it.
   */
  private async view(position: number, length: number, end: number): Promise<DataView | undefined> {
    if (position < this.blockStart || position + length > this.blockStart + this.blockLength) {
      const blockEnd = Math.min(
        this.source.size,
        Math.max(position + length, Math.min(end, position + this.blockBytes)),
      );
      this.blockStart = Math.max(0, blockEnd - this.blockBytes);
      const requested = this.block.subarray(0, blockEnd - this.blockStart);
      this.blockLength = await this.source.readBytes(requested, this.blockStart);
      if (position + length > this.blockStart + this.blockLength) return undefined;
    }
    return new DataView(this.block.buffer, position - this.blockStart, length);
  }
}
