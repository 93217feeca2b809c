import type { ByteSource } from '../filestorage/backward.js';
import { BACK_POINTER_LENGTH, RECORD_HEADER_LENGTH, readPosition } from '../filestorage/layout.js';

/** Where the data of a record is. */
export interface DataPlace {
  readonly position: number;
  readonly length: number;
}

const HEAD = RECORD_HEADER_LENGTH + BACK_POINTER_LENGTH;

/** Follows back pointers to the data that they stand for. */
export class BackData {
  private readonly head = new Uint8Array(HEAD);
  private readonly view = new DataView(this.head.buffer);

  constructor(private readonly source: ByteSource) {}

  /**
   * What a pointer to `target` stands for; undefined: the object's creation was undone. 'broken' where the pointer, or one that
   * follows it, leads to no earlier record of the object.
   */
  async behind(target: number, oid: bigint, recordAt: number): Promise<DataPlace | 'broken' | undefined> {
    let before = recordAt;
    for (let position = target; position > 0; ) {
      if (position >= before || !(await this.isRecordOf(oid, position))) return 'broken';
      const length = readPosition(this.view, 34);
      if (length > 0) return { position: position + RECORD_HEADER_LENGTH, length };
      before = position;
      position = readPosition(this.view, RECORD_HEADER_LENGTH);
    }
    return undefined;
  }

  /** Whether the record at `position` is one of this object. */
  async isRecordOf(oid: bigint, position: number): Promise<boolean> {
    return (await this.source.readBytes(this.head, position)) === HEAD && this.view.getBigUint64(0) === oid;
  }
}
