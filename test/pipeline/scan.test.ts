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

describe('the place from which a file can be read backwards', () => {
  const finished = dataFs(FINISHED).bytes;

  it('is its end, when a finished transaction ends there', async () => {
    const file = new MemoryFile(finished);
    assert.equal(await readableEnd(file, window), finished.length);
    assert.ok(file.reads.length < 3, 'without reading all of it');
  });

  it('is before what is in flight, though that is complete: an abort may take it away again', async () => {
    const file = new MemoryFile(dataFs([...FINISHED, IN_FLIGHT]).bytes);
    assert.equal(await readableEnd(file, window), finished.length);
    assert.ok(file.reads.length < 4, 'without reading all of it');
  });

  it('is before what is in flight and not complete', async () => {
    const whole = dataFs([...FINISHED, IN_FLIGHT]).bytes;
    for (const missing of [1, 8, 9, 40]) {
      assert.equal(await readableEnd(new MemoryFile(whole.subarray(0, -missing)), window), finished.length);
    }
  });

  it('is before what has been cut off since the size was seen', async () => {
    assert.equal(await readableEnd(new MemoryFile(finished, finished.length + 120), window), finished.length);
  });

  it('of a file whose only transaction is in flight is its beginning', async () => {
    assert.equal(await readableEnd(new MemoryFile(dataFs([IN_FLIGHT]).bytes), window), 4);
  });

  it('is before zeros', async () => {
    assert.equal(await readableEnd(new MemoryFile(concat(finished, new Uint8Array(100))), window), finished.length);
  });
});
