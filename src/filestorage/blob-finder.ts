import type { BlobNamesCollector } from './blob-names.js';
import { BLOB_PREFIX, isBlobRecord, mayBeBlob } from './blob-record.js';
import { Expect, FieldReader } from './field-reader.js';
import { RECORD_HEADER_LENGTH } from './layout.js';

/** The shortest data that can be a blob's: its first four bytes can be read as one number. */
const SMALLEST_BLOB = 4;

/**
 * Looks at the first bytes of records' data for blobs, if somebody collects them. Where those bytes are in the window of
 * their record's header, as nearly always, they are no field of their own.
 */
export abstract class BlobFinder extends FieldReader {
  protected recordPosition = 0;
  protected oidHigh = 0;
  protected oidLow = 0;
  protected recordTidHigh = 0;
  protected recordTidLow = 0;
  private dataEnd = 0;

  constructor(
    start: number,
    protected readonly blobs: BlobNamesCollector | undefined,
  ) {
    super(start);
  }

  /** Handles what follows a record. */
  protected abstract expectNext(): void;

  /** Judges the data where its first bytes are at hand, and otherwise waits for them. `at` is behind the data. */
  protected lookForBlob(view: DataView, offset: number, dataLength: number): void {
    const length = Math.min(dataLength, BLOB_PREFIX);
    if (this.isAtHand(view, offset + length)) {
      this.judgeData(view, offset, length, dataLength);
      return this.expectNext();
    }
    this.dataEnd = this.at;
    this.at = this.recordPosition + RECORD_HEADER_LENGTH;
    this.dataLength = length;
    this.expect = Expect.Data;
  }

  protected override data(view: DataView, offset: number): void {
    const whole = this.dataEnd - this.at;
    this.judgeData(view, offset, this.dataLength, whole);
    this.at = this.dataEnd;
    this.expectNext();
  }

  private judgeData(view: DataView, offset: number, length: number, dataLength: number): void {
    if (length < SMALLEST_BLOB || !mayBeBlob(view.getUint32(offset))) return;
    const data = new Uint8Array(view.buffer, view.byteOffset + offset, length);
    const kind = isBlobRecord(data, dataLength);
    if (kind === 'blob') this.blobs?.blob(this.oidHigh, this.oidLow, this.recordTidHigh, this.recordTidLow);
    else if (kind === 'encrypted') this.blobs?.encryptedRecord();
  }
}
