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

  /** Bytes that are in the page cache. */
  cached(into: Uint8Array, length: number, position: number): number {
    into.set(this.bytes.subarray(position, position + length));
    return length;
  }

  async read(into: Uint8Array, length: number, position: number): Promise<number> {
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

async function readAll(file: SlowFile, ahead: ReadAhead, size = file.bytes.length, from = 0): Promise<void> {
  for (let position = from; position < size; position += PIECE) {
    await readOne(file, ahead, Math.min(PIECE, size - position), position);
  }
}

async function readOne(file: SlowFile, ahead: ReadAhead, length: number, position: number): Promise<void> {
  assert.equal(await ahead.read(window, length, position), length);
  assert.ok(Buffer.from(window.bytes.subarray(0, length)).equals(file.bytes.subarray(position, position + length)));
}

/** Lets this thread forget that reads were slow. */
async function forget(): Promise<void> {
  const file = new SlowFile(PIECE);
  const ahead = file.ahead({ now: (...read) => file.cached(...read) });
  for (let reads = 0; reads < 20; reads++) await readOne(file, ahead, PIECE, 0);
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
    await forget();
    const fast = new SlowFile(10 * PIECE, 0);
    await readAll(fast, fast.ahead({ now: (...read) => fast.cached(...read) }));
    assert.deepEqual(fast.begun, []);
    const file = new SlowFile(10 * PIECE);
    const ahead = file.ahead();
    for (const position of [5, 3, 8, 0]) await ahead.read(window, PIECE, position * PIECE);
    assert.equal(file.most, 1);
  });

  it('starts where the kernel reads ahead as well, so that every second read is fast', async () => {
    await forget();
    const file = new SlowFile(30 * PIECE);
    let reads = 0;
    const now: Readings['now'] = (...read) => (reads++ % 2 === 0 ? file.read(...read) : file.cached(...read));
    await readAll(file, file.ahead({ now }));
    assert.equal(file.most, 8);
    assert.ok(reads <= 10, `${reads} reads of 30 were not ahead`);
  });

  it('starts with the first read of the next reader, although short reads between them are fast', async () => {
    const file = new SlowFile(20 * PIECE);
    const cut = 10 * PIECE;
    let isCached = false;
    const now: Readings['now'] = (...read) => (isCached ? file.cached(...read) : file.read(...read));
    const first = file.ahead({ now, until: cut });
    await readAll(file, first, cut);
    // The rest of a transaction, which is in the page cache: the place where the next chunk begins was looked for there.
    isCached = true;
    await readOne(file, first, 100, cut);
    await readOne(file, first, PIECE - 1, cut + 100);
    const notAhead: Readings['now'] = () => assert.fail('a read that is not ahead');
    await readAll(file, file.ahead({ now: notAhead, from: cut }), 20 * PIECE, cut);
    assert.equal(new Set(file.begun).size, file.begun.length, 'nothing is read twice');
  });

  it('reads once what begins before the expected end, and ends behind it', async () => {
    const file = new SlowFile(20 * PIECE);
    await readAll(file, file.ahead({ until: 10 * PIECE }), 10 * PIECE);
    file.begun = [];
    const ahead = file.ahead({ from: 1000, until: 4096 });
    await readOne(file, ahead, 5000, 1000);
    assert.deepEqual(file.begun, [1000]);
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
