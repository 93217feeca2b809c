import { readPosition } from './layout.js';

/** Words of one entry: the halves of oid and tid; of an undo record also those of the position that it points to. */
export const BLOB_WORDS = 4;
export const UNDO_WORDS = 6;

/** The blobs that a piece of a file names, as words that threads can pass on. */
export interface BlobNames {
  /** oid and tid of each record that is a blob's. ZEO clients write it twice. */
  readonly blobs: Uint32Array;
  /** oid, tid and target of each record that points back: a blob's, if its target is. */
  readonly undos: Uint32Array;
  /** Records that an encrypting storage wrote: whether they are blobs' is not known. */
  readonly encrypted: number;
}

export const NO_BLOBS: BlobNames = { blobs: new Uint32Array(), undos: new Uint32Array(), encrypted: 0 };

/**
 * Collects the blobs that the transactions of a walk name. Those of a transaction count once it is complete.
 * A record names its tid; one that was restored without a serial has 0, and counts with its transaction's.
 */
export class BlobNamesCollector {
  private readonly blobs = new Words();
  private readonly undos = new Words();
  private encrypted = 0;
  private pendingEncrypted = 0;

  blob(oidHigh: number, oidLow: number, tidHigh: number, tidLow: number): void {
    this.blobs.add(oidHigh, oidLow, tidHigh, tidLow);
  }

  undo(oidHigh: number, oidLow: number, tidHigh: number, tidLow: number, target: number): void {
    this.undos.add(oidHigh, oidLow, tidHigh, tidLow);
    this.undos.add(Math.floor(target / 0x1_0000_0000), target % 0x1_0000_0000);
  }

  encryptedRecord(): void {
    this.pendingEncrypted++;
  }

  /** The transaction of the records added last breaks off. */
  forget(): void {
    this.blobs.forget();
    this.undos.forget();
    this.pendingEncrypted = 0;
  }

  /** The transaction of the records added last is complete. */
  complete(): void {
    this.blobs.complete();
    this.undos.complete();
    this.encrypted += this.pendingEncrypted;
    this.pendingEncrypted = 0;
  }

  /** Those of complete transactions. */
  get names(): BlobNames {
    return { blobs: this.blobs.taken, undos: this.undos.taken, encrypted: this.encrypted };
  }
}

/** Position that an entry of undo records points to. */
export function undoTarget(undos: Uint32Array, at: number): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setUint32(0, undos[at + BLOB_WORDS] ?? 0);
  view.setUint32(4, undos[at + BLOB_WORDS + 1] ?? 0);
  return readPosition(view, 0);
}

class Words {
  private words = new Uint32Array(256);
  private used = 0;
  private settled = 0;

  add(...more: readonly number[]): void {
    if (this.used + more.length > this.words.length) {
      const larger = new Uint32Array(2 * this.words.length);
      larger.set(this.words);
      this.words = larger;
    }
    this.words.set(more, this.used);
    this.used += more.length;
  }

  complete(): void {
    this.settled = this.used;
  }

  forget(): void {
    this.used = this.settled;
  }

  get taken(): Uint32Array {
    return this.words.slice(0, this.settled);
  }
}
