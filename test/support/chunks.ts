import assert from 'node:assert/strict';
import type { Stop } from '../../src/filestorage/stop.js';
import type { WalkEvents } from '../../src/filestorage/walk-options.js';
import type { ChunkFacts } from '../../src/pipeline/chunk.js';
import type { ChunkSource } from '../../src/pipeline/chunk-source.js';
import { NOTHING_YET } from '../../src/pipeline/chunk-table.js';
import type { Target } from '../../src/pipeline/copy.js';
import type { Master } from '../../src/pipeline/master.js';
import type { Resume } from '../../src/pipeline/resume.js';
import { Window } from '../../src/pipeline/window.js';

const hasher = new Window(1 << 20);

/** XXH64 of bytes in one call. */
export function xxh64(bytes: Uint8Array): string {
  hasher.reset();
  for (let done = 0; done < bytes.length; done += hasher.size) {
    const piece = bytes.subarray(done, done + hasher.size);
    hasher.bytes.set(piece);
    hasher.add(0, piece.length);
  }
  return hasher.digest();
}

/** The result of a source: everything that a slave and its `.dat` consist of. */
export interface Delivered {
  readonly bytes: Uint8Array;
  readonly resume: Resume;
  readonly stop: Stop;
  /** For each reported chunk. */
  readonly warnings: readonly object[];
  /** Each reported record and transaction, without those of an incomplete transaction. */
  readonly reported: readonly (readonly unknown[])[];
}

/** A slave in memory, which accepts bytes in order only. */
class MemoryTarget implements Target {
  private slave: Uint8Array;
  private length: number;
  readonly reported: (readonly unknown[])[] = [];
  private complete = 0;
  readonly events: WalkEvents = {
    onRecord: (...record) => void this.reported.push(record),
    onTransaction: (...transaction) => {
      this.complete = this.reported.push(transaction);
    },
  };

  constructor(before: Uint8Array) {
    this.slave = before.slice();
    this.length = before.length;
  }

  write(bytes: Uint8Array, position: number): void {
    assert.equal(position, this.length, 'bytes come in order');
    if (position + bytes.length > this.slave.length) {
      const larger = new Uint8Array(2 * (position + bytes.length));
      larger.set(this.slave.subarray(0, this.length));
      this.slave = larger;
    }
    this.slave.set(bytes, position);
    this.length += bytes.length;
    // The receiver may do this: it is the writer's first status byte.
    bytes.fill(0);
  }

  goBackTo(end: number): void {
    assert.ok(end <= this.length);
    this.length = end;
    this.reported.length = this.complete;
  }

  async reached(): Promise<void> {}

  get bytes(): Uint8Array {
    return this.slave.slice(0, this.length);
  }
}

/** Copies a master with a source, from the end of `before`. */
export async function deliver(source: ChunkSource, master: Master, before?: Delivered): Promise<Delivered> {
  const target = new MemoryTarget(before?.bytes ?? Buffer.from('FS30'));
  const warnings: object[] = [];
  let resume = before?.resume ?? NOTHING_YET;
  const stop = await source.run(master, resume, target, async (reached: Resume, facts: ChunkFacts) => {
    resume = reached;
    warnings.push({ start: facts.start, end: facts.end, count: facts.warningCount, kept: facts.warnings });
  });
  target.goBackTo(resume.position);
  return { bytes: target.bytes, resume, stop, warnings, reported: target.reported };
}
