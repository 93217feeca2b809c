import { writePosition } from '../filestorage/encode.js';
import type { OpenFile } from '../io/open-file.js';

const BUFFER_BYTES = 1 << 20;
const NUMBER_BYTES = 8;

/** A new file, written through one buffer; a number in what was written can be set later. */
export class ThinOutput {
  private readonly buffer = new Uint8Array(BUFFER_BYTES);
  private readonly number = new Uint8Array(NUMBER_BYTES);
  private readonly numberView = new DataView(this.number.buffer);
  /** Bytes that are in the file; what is in the buffer follows them. */
  private written = 0;
  private used = 0;

  constructor(private readonly file: OpenFile) {}

  /** Position of the next byte. */
  get position(): number {
    return this.written + this.used;
  }

  put(bytes: Uint8Array): void {
    if (this.used + bytes.length > BUFFER_BYTES) this.flush();
    if (bytes.length > BUFFER_BYTES) {
      this.file.write(bytes, this.written);
      this.written += bytes.length;
      return;
    }
    this.buffer.set(bytes, this.used);
    this.used += bytes.length;
  }

  putNumber(value: number): void {
    writePosition(this.numberView, 0, value, 'number');
    this.put(this.number);
  }

  /** Replaces the number of 8 bytes at `position`. */
  setNumber(position: number, value: number): void {
    writePosition(this.numberView, 0, value, 'number');
    if (position < this.written) this.file.write(this.number, position);
    else this.buffer.set(this.number, position - this.written);
  }

  /** The number of 8 bytes at `position`. */
  numberAt(position: number): bigint {
    this.flush();
    this.file.read(this.number, NUMBER_BYTES, position);
    return this.numberView.getBigUint64(0);
  }

  flush(): void {
    if (this.used > 0) this.file.write(this.buffer.subarray(0, this.used), this.written);
    this.written += this.used;
    this.used = 0;
  }
}
