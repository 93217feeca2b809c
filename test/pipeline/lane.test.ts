import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cancelLane, LaneCancelled, LaneReader, LaneWriter, makeLane } from '../../src/pipeline/lane.js';
import { xxh64 } from '../support/chunks.js';
import { filler } from '../support/data-fs.js';

const SLOT = 16;
const SLOTS = 4;
/** The word of the control block that counts the filled slots. */
const FILLED = 0;

/** Both ends of a lane; counts how often the writer has woken the reader. */
function lane() {
  const memory = makeLane(SLOTS, SLOT);
  const woken = { times: 0 };
  const reader = new LaneReader(memory);
  return { reader, woken, writer: new LaneWriter(memory, () => void woken.times++) };
}

/** Bytes for each of `count` slots. */
function pieces(count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, n) => filler(SLOT, n + 1));
}

/** A copy of the reader's next slot. */
function received(reader: LaneReader): { bytes: Uint8Array; kind: string } | undefined {
  const slot = reader.next();
  return slot && { bytes: slot.bytes.slice(), kind: slot.kind };
}

describe('a lane', () => {
  it('passes pieces on in order, each in its own slot, many times round', () => {
    const { reader, writer } = lane();
    for (const piece of pieces(5 * SLOTS)) {
      assert.equal(reader.next(), undefined);
      writer.put(piece.subarray(1), 'records');
      assert.deepEqual(received(reader), { bytes: piece.slice(1), kind: 'records' });
      reader.release();
    }
    assert.equal(writer.handedOver, reader.taken);
  });

  it('passes on windows without a copy, and hashes them there', () => {
    const { reader, writer } = lane();
    const window = writer.window(SLOT);
    const bytes = filler(2 * SLOTS * SLOT);
    for (let done = 0; done < bytes.length; done += SLOT) {
      window.moveTo(writer.room());
      window.bytes.set(bytes.subarray(done, done + SLOT));
      window.add(0, SLOT);
      writer.handOver(SLOT, 'bytes');
      assert.deepEqual(received(reader), { bytes: bytes.slice(done, done + SLOT), kind: 'bytes' });
      const there = reader.next()?.bytes;
      assert.equal(there?.byteOffset, window.bytes.byteOffset);
      there.fill(0);
      reader.release();
    }
    assert.equal(window.digest(), xxh64(bytes), 'what the reader does to its slots is too late to be hashed');
  });

  it('keeps a window in its slot until the reader has it', () => {
    const { writer } = lane();
    assert.equal(writer.room(), writer.room());
    const before = writer.room();
    writer.handOver(1, 'bytes');
    assert.notEqual(writer.room(), before);
  });

  it('accepts as many pieces as it has slots without waiting', () => {
    const { writer } = lane();
    for (const piece of pieces(SLOTS)) writer.put(piece, 'records');
    assert.equal(writer.handedOver, SLOTS);
  });

  it('reuses a released slot, and does not touch the others', () => {
    const { reader, writer } = lane();
    const all = pieces(SLOTS + 1);
    for (const piece of all.slice(0, SLOTS)) writer.put(piece, 'records');
    reader.release();
    writer.put(all[SLOTS] ?? filler(0), 'records');
    assert.deepEqual(received(reader)?.bytes, all[1]);
  });

  it('releases its writer when it is cancelled, full or not', () => {
    for (const before of [0, 1, SLOTS]) {
      const { reader, writer } = lane();
      for (const piece of pieces(before)) writer.put(piece, 'records');
      reader.cancel();
      assert.throws(() => writer.room(), LaneCancelled);
      assert.throws(() => writer.put(filler(1), 'records'), LaneCancelled);
    }
  });

  it('delivers what was filled before it was cancelled, also when both happen while its reader checks', (t) => {
    const { reader, writer } = lane();
    const { load } = Atomics;
    let checked = false;
    t.mock.method(Atomics, 'load', (words: Int32Array, word: number) => {
      const value = load(words, word);
      if (!checked && word === FILLED) {
        checked = true;
        writer.put(filler(SLOT, 5), 'records');
        cancelLane(reader.memory);
      }
      return value;
    });
    assert.deepEqual(reader.waitForNext()?.bytes.slice(), filler(SLOT, 5));
    reader.release();
    assert.equal(reader.waitForNext(), undefined);
  });

  it('is like a new one after a reset', () => {
    const { reader, writer } = lane();
    for (const piece of pieces(3)) writer.put(piece, 'records');
    reader.release();
    reader.cancel();
    reader.reset();
    const next = new LaneWriter(reader.memory, () => {});
    next.put(filler(SLOT, 5), 'records');
    assert.deepEqual(received(reader)?.bytes, filler(SLOT, 5));
  });

  it('wakes a sleeping reader once, and no other', () => {
    const { reader, writer, woken } = lane();
    writer.put(filler(1), 'records');
    assert.equal(woken.times, 0);
    assert.equal(reader.sleep(), false, 'there is something already');
    reader.release();
    assert.equal(reader.sleep(), true);
    for (const piece of pieces(2)) writer.put(piece, 'records');
    assert.equal(woken.times, 1);
  });

  it('reports reads in progress: none before, none after, and a number that changes with each', () => {
    const { reader, writer } = lane();
    assert.equal(reader.readProgress, undefined);
    const first = writer.reading(() => reader.readProgress);
    const second = writer.reading(() => reader.readProgress);
    assert.notEqual(first, undefined);
    assert.notEqual(first, second);
    assert.equal(reader.readProgress, undefined);
    assert.throws(() =>
      writer.reading(() => {
        throw new Error('read failed');
      }),
    );
    assert.equal(reader.readProgress, undefined, 'also after one that failed');
  });
});
