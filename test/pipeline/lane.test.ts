import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cancelLane, LaneCancelled, LaneReader, LaneWriter, makeLane } from '../../src/pipeline/lane.js';
import { xxh64 } from '../support/chunks.js';
import { filler } from '../support/data-fs.js';

const SLOT = 16;
const SLOTS = 4;
/** The word of the control block that counts the slots that were filled. */
const FILLED = 0;

/** Both ends of a lane; how often the writer has woken the reader is counted. */
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

/** A copy of what is in the reader's next slot. */
function received(reader: LaneReader): { bytes: Uint8Array; kind: string } | undefined {
  const slot = reader.next();
  return slot && { bytes: slot.bytes.slice(), kind: slot.kind };
}

describe('a lane', () => {
  it('hands pieces on in order, each in a slot of its own, many times round', () => {
    const { reader, writer } = lane();
    for (const piece of pieces(5 * SLOTS)) {
      assert.equal(reader.next(), undefined);
      writer.put(piece.subarray(1), 'records');
      assert.deepEqual(received(reader), { bytes: piece.slice(1), kind: 'records' });
      reader.release();
    }
    assert.equal(writer.handedOver, reader.taken);
  });

  it('hands over what was read into its windows, without a copy, and hashes it there', () => {
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

  it('leaves a window in its slot until that is handed over', () => {
    const { writer } = lane();
    assert.equal(writer.room(), writer.room());
    const before = writer.room();
    writer.handOver(1, 'bytes');
    assert.notEqual(writer.room(), before);
  });

  it('takes as many slots as it has without waiting', () => {
    const { writer } = lane();
    for (const piece of pieces(SLOTS)) writer.put(piece, 'records');
    assert.equal(writer.handedOver, SLOTS);
  });

  it('goes on in a slot that has been released, and does not touch the others', () => {
    const { reader, writer } = lane();
    const all = pieces(SLOTS + 1);
    for (const piece of all.slice(0, SLOTS)) writer.put(piece, 'records');
    reader.release();
    writer.put(all[SLOTS] ?? filler(0), 'records');
    assert.deepEqual(received(reader)?.bytes, all[1]);
  });

  it('that is cancelled lets its writer go, full or not', () => {
    for (const before of [0, 1, SLOTS]) {
      const { reader, writer } = lane();
      for (const piece of pieces(before)) writer.put(piece, 'records');
      reader.cancel();
      assert.throws(() => writer.room(), LaneCancelled);
      assert.throws(() => writer.put(filler(1), 'records'), LaneCancelled);
    }
  });

  it('gives what was filled before it was cancelled, also when both come while its reader looks', (t) => {
    const { reader, writer } = lane();
    const { load } = Atomics;
    let looked = false;
    t.mock.method(Atomics, 'load', (words: Int32Array, word: number) => {
      const value = load(words, word);
      if (!looked && word === FILLED) {
        looked = true;
        writer.put(filler(SLOT, 5), 'records');
        cancelLane(reader.memory);
      }
      return value;
    });
    assert.deepEqual(reader.waitForNext()?.bytes.slice(), filler(SLOT, 5));
    reader.release();
    assert.equal(reader.waitForNext(), undefined);
  });

  it('is as new after a reset', () => {
    const { reader, writer } = lane();
    for (const piece of pieces(3)) writer.put(piece, 'records');
    reader.release();
    reader.cancel();
    reader.reset();
    const next = new LaneWriter(reader.memory, () => {});
    next.put(filler(SLOT, 5), 'records');
    assert.deepEqual(received(reader)?.bytes, filler(SLOT, 5));
  });

  it('wakes a reader that sleeps, once, and no other', () => {
    const { reader, writer, woken } = lane();
    writer.put(filler(1), 'records');
    assert.equal(woken.times, 0);
    assert.equal(reader.sleep(), false, 'there is something already');
    reader.release();
    assert.equal(reader.sleep(), true);
    for (const piece of pieces(2)) writer.put(piece, 'records');
    assert.equal(woken.times, 1);
  });

  it('tells of reads: none before, none after, and a number that changes with each', () => {
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
