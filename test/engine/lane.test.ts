import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LaneCancelled, LaneReader, LaneWriter, makeLane, SLOTS_PER_LANE } from '../../src/engine/lane.js';
import { filler } from '../support/data-fs.js';

const SLOT = 16;

/** Both ends of a lane; what the writer announces is kept. */
function lane() {
  const memory = makeLane(SLOT);
  const announced: number[] = [];
  const reader = new LaneReader(memory);
  return { reader, announced, writer: new LaneWriter(memory, (length) => void announced.push(length)) };
}

describe('a lane', () => {
  it('hands bytes on in order, in slots, however they are put in', () => {
    for (const piece of [1, 5, SLOT, SLOT + 1, 50]) {
      const { reader, writer, announced } = lane();
      const received: number[] = [];
      const take = () => {
        for (let length = announced.shift(); length !== undefined; length = announced.shift()) {
          received.push(...reader.slot(length));
          reader.release();
        }
      };
      const bytes = filler(500);
      for (let done = 0; done < bytes.length; done += piece) {
        writer.put(bytes.subarray(done, done + piece));
        take();
      }
      writer.flush();
      take();
      assert.deepEqual(Uint8Array.from(received), bytes);
    }
  });

  it('announces full slots, and what is left when it is flushed', () => {
    const { writer, announced } = lane();
    writer.put(filler(2 * SLOT + 3));
    assert.deepEqual(announced, [SLOT, SLOT]);
    writer.flush();
    writer.flush();
    assert.deepEqual(announced, [SLOT, SLOT, 3]);
  });

  it('takes as many slots as it has without waiting', () => {
    const { writer, announced } = lane();
    writer.put(filler(SLOTS_PER_LANE * SLOT));
    assert.equal(announced.length, SLOTS_PER_LANE);
  });

  it('goes on in a slot that has been released, and does not touch the others', () => {
    const { reader, writer } = lane();
    const bytes = filler((SLOTS_PER_LANE + 1) * SLOT);
    writer.put(bytes.subarray(0, SLOTS_PER_LANE * SLOT));
    reader.release();
    writer.put(bytes.subarray(SLOTS_PER_LANE * SLOT));
    assert.deepEqual(reader.slot(SLOT).slice(), bytes.slice(SLOT, 2 * SLOT));
  });

  it('that is cancelled lets its writer go, full or not', () => {
    for (const before of [0, SLOT, SLOTS_PER_LANE * SLOT]) {
      const { reader, writer } = lane();
      writer.put(filler(before));
      reader.cancel();
      assert.throws(() => writer.put(filler(1)), LaneCancelled);
    }
  });

  it('is as new after a reset', () => {
    const { reader, writer } = lane();
    writer.put(filler(3 * SLOT));
    reader.release();
    reader.cancel();
    reader.reset();
    const next = new LaneWriter(reader.memory, () => {});
    next.put(filler(SLOT, 5));
    assert.deepEqual(reader.slot(SLOT).slice(), filler(SLOT, 5));
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
