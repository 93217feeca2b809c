import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readableEnd } from '../../src/pipeline/scan.js';
import { Window } from '../../src/pipeline/window.js';
import { concat, type Draft, dataFs, filler, nthTid } from '../support/data-fs.js';
import { MemoryFile } from '../support/memory-file.js';

const window = new Window(1 << 16);
const FINISHED: readonly Draft[] = [
  { tid: nthTid(1), records: [{ data: 'one' }] },
  { tid: nthTid(2), records: [{ data: filler(700) }] },
];
const IN_FLIGHT: Draft = { tid: nthTid(3), status: 'c', records: [{ data: 'voted, may be aborted' }] };

describe('the position from which a file can be read backward', () => {
  const finished = dataFs(FINISHED).bytes;

  it('is its end, when a finished transaction ends there', async () => {
    const file = new MemoryFile(finished);
    assert.equal(await readableEnd(file, window), finished.length);
    assert.ok(file.reads.length < 3, 'without reading all of it');
  });

  it('is before a transaction in flight, even if it is complete: an abort may remove it', async () => {
    const file = new MemoryFile(dataFs([...FINISHED, IN_FLIGHT]).bytes);
    assert.equal(await readableEnd(file, window), finished.length);
    assert.ok(file.reads.length < 4, 'without reading all of it');
  });

  it('is before an incomplete transaction in flight', async () => {
    const whole = dataFs([...FINISHED, IN_FLIGHT]).bytes;
    for (const missing of [1, 8, 9, 40]) {
      assert.equal(await readableEnd(new MemoryFile(whole.subarray(0, -missing)), window), finished.length);
    }
  });

  it('is before bytes that were truncated since the size was read', async () => {
    assert.equal(await readableEnd(new MemoryFile(finished, finished.length + 120), window), finished.length);
  });

  it('is the start of a file whose only transaction is in flight', async () => {
    assert.equal(await readableEnd(new MemoryFile(dataFs([IN_FLIGHT]).bytes), window), 4);
  });

  it('is before zeros', async () => {
    assert.equal(await readableEnd(new MemoryFile(concat(finished, new Uint8Array(100))), window), finished.length);
  });
});
