import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ReadAhead, type Readings } from '../../src/pipeline/read-ahead.js';
import { Window } from '../../src/pipeline/window.js';
import { Random } from '../support/random.js';

const PIECE = 65_536;
const SLOW_MS = 4;
const window = new Window(PIECE);

/** A file in memory with slow reads; counts those in progress. */
class SlowFile {
  readonly bytes: Uint8Array;
  under = 0;
  most = 0;
  begun: number[] = [];
  /** Reads at or beyond this position fail. */
  brokenFrom = Number.POSITIVE_INFINITY;

  constructor(
    size: number,
    readonly milliseconds = SLOW_MS,
  ) {
    const random = new Random(7);
    this.bytes = Uint8Array.from({ length: size }, () => random.below(256));
  }

  ahead(more: Partial<Readings> = {}): ReadAhead {
    const read = (into: Uint8Array, length: number, position: number) => this.read(into, length, position);
    const limit = this.bytes.length;
    const finishedEnd = async () => more.limit ?? limit;
    return new ReadAhead({ now: read, later: read, wait: (count) => count, limit, finishedEnd, ...more });
  }

  private async read(into: Uint8Array, length: number, position: number): Promise<number> {
    this.begun.push(position);
    this.under++;
    this.most = Math.max(this.most, this.under);
    await sleep(this.milliseconds);
    this.under--;
    if (position >= this.brokenFrom) throw new Error(`cannot read at ${position}`);
    const piece = this.bytes.subarray(position, position + length);
    into.set(piece);
    return piece.length;
  }
}

async function readAll(file: SlowFile, ahead: ReadAhead, size = file.bytes.length): Promise<void> {
  for (let position = 0; position < size; position += PIECE) {
    const requested = Math.min(PIECE, size - position);
    assert.equal(await ahead.read(window, requested, position), requested);
    assert.ok(
      Buffer.from(window.bytes.subarray(0, requested)).equals(file.bytes.subarray(position, position + requested)),
    );
  }
}

describe('reading ahead', () => {
  it('returns the bytes of plain reads, with several reads in progress when they are slow', async () => {
    const file = new SlowFile(40 * PIECE + 77);
    const ahead = file.ahead();
    await readAll(file, ahead);
    assert.equal(file.most, 8);
    assert.equal(new Set(file.begun).size, file.begun.length, 'nothing is read twice');
    await ahead.settle();
    assert.equal(file.under, 0);
  });

  it('starts no extra read while reads are fast or not sequential', async () => {
    const fast = new SlowFile(10 * PIECE, 0);
    const now: Readings['now'] = (into, length, position) => {
      const piece = fast.bytes.subarray(position, position + length);
      into.set(piece);
      return piece.length;
    };
    await readAll(fast, fast.ahead({ now }));
    assert.deepEqual(fast.begun, []);
    const file = new SlowFile(10 * PIECE);
    const ahead = file.ahead();
    for (const position of [5, 3, 8, 0]) await ahead.read(window, PIECE, position * PIECE);
    assert.equal(file.most, 1);
  });

  it("starts no read beyond its reader's end or the end of the file", async () => {
    const file = new SlowFile(20 * PIECE);
    const ahead = file.ahead({ until: 6 * PIECE });
    await readAll(file, ahead, 6 * PIECE);
    await ahead.settle();
    assert.equal(Math.max(...file.begun), 5 * PIECE);
  });

  it('drops what was read ahead when the reader seeks', async () => {
    const file = new SlowFile(30 * PIECE);
    const ahead = file.ahead();
    await readAll(file, ahead, 4 * PIECE);
    assert.equal(await ahead.read(window, PIECE, 20 * PIECE), PIECE);
    assert.ok(Buffer.from(window.bytes).equals(file.bytes.subarray(20 * PIECE, 21 * PIECE)));
    assert.equal(file.under, 0, 'none is under way that could come late');
  });

  it('reports a fault only to the reader of that piece', async () => {
    const file = new SlowFile(30 * PIECE);
    file.brokenFrom = 5 * PIECE;
    const ahead = file.ahead();
    await assert.rejects(readAll(file, ahead), /cannot read at 327680/);
    await ahead.settle();
    const other = file.ahead();
    await readAll(file, other, 4 * PIECE);
    await other.settle();
  });

  it('continues with larger pieces', async () => {
    const file = new SlowFile(30 * PIECE);
    const ahead = file.ahead();
    for (let position = 0; position < 4000; position += 1000) await ahead.read(window, 1000, position);
    for (let position = 4000; position < 20 * PIECE; position += PIECE) {
      assert.equal(await ahead.read(window, PIECE, position), PIECE);
      assert.ok(Buffer.from(window.bytes).equals(file.bytes.subarray(position, position + PIECE)));
    }
    await ahead.settle();
  });

  it('returns fewer bytes when the file was truncated since its size was read', async () => {
    const file = new SlowFile(6 * PIECE + 100);
    const ahead = file.ahead({ limit: 9 * PIECE });
    await readAll(file, ahead, 6 * PIECE);
    assert.equal(await ahead.read(window, PIECE, 6 * PIECE), 100);
    await ahead.settle();
  });
});
