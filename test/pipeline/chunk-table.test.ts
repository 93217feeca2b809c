import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readChunk } from '../../src/pipeline/chunk.js';
import { advance, cutAfter, fittingChunkBytes, NOTHING_YET, nextTask } from '../../src/pipeline/chunk-table.js';
import type { Resume } from '../../src/pipeline/resume.js';
import { Window } from '../../src/pipeline/window.js';
import { xxh64 } from '../support/chunks.js';
import { dataFs, filler, type Place, plain } from '../support/data-fs.js';
import { MemoryFile } from '../support/memory-file.js';
import { Random } from '../support/random.js';

const CHUNK = 1000;
const window = new Window(1 << 16);

/** One run of a copy: from `resume` to the current end of the file. */
async function run(bytes: Uint8Array, resume: Resume, limit: number, chunkBytes = CHUNK): Promise<Resume> {
  const file = new MemoryFile(bytes.subarray(0, limit));
  for (let reached = resume; ; ) {
    const facts = await readChunk(nextTask(reached, limit, chunkBytes), window, file.read, () => {});
    reached = advance(reached, facts);
    if (facts.stop.kind !== 'cut') return reached;
  }
}

describe('the end of a full chunk', () => {
  it('is the next multiple of the chunk size', () => {
    assert.deepEqual(
      [4, 999, 1000, 1001].map((start) => cutAfter(start, CHUNK)),
      [1000, 1000, 2000, 2000],
    );
  });
});

describe('the division into chunks', () => {
  const random = new Random(5);
  const drafts = Array.from({ length: 60 }, (_, n) => ({
    records: random.below(6) === 0 ? [] : [{ data: filler(1 + random.below(n % 9 === 0 ? 3500 : 200), n) }],
  }));
  const file = dataFs(drafts);
  const { bytes, places } = file;

  it('is contiguous, and each line has the hash and the counts of its bytes', async () => {
    const { chunks, position } = await run(bytes, NOTHING_YET, bytes.length);
    assert.ok(chunks.length > 5);
    let start = 4;
    for (const chunk of chunks) {
      assert.equal(chunk.start, start);
      assert.equal(chunk.hash, xxh64(bytes.subarray(chunk.start, chunk.end)));
      const inside = places.filter((place) => place.position >= chunk.start && place.end <= chunk.end);
      assert.equal(chunk.transactions, inside.length);
      assert.equal(
        chunk.records,
        inside.reduce((sum, { records }) => sum + records.length, 0),
      );
      assert.deepEqual([chunk.firstTid, chunk.lastTid], [inside[0]!.tid, inside.at(-1)!.tid]);
      start = chunk.end;
    }
    assert.equal(start, position);
  });

  it('ends each chunk at the first boundary at or beyond a multiple of the chunk size', async () => {
    const { chunks } = await run(bytes, NOTHING_YET, bytes.length);
    for (const { start, end } of chunks.slice(0, -1)) {
      assert.equal(end, places.find((place: Place) => place.end >= cutAfter(start, CHUNK))!.end);
    }
  });

  it('is the same for any number of runs', async () => {
    const atOnce = await run(bytes, NOTHING_YET, bytes.length);
    assert.deepEqual(await runs(places.map(({ end }) => end)), atOnce, 'a run for each transaction');
    for (let round = 0; round < 50; round++) {
      const ends = places.filter(() => random.below(4) === 0).map(({ end }) => end);
      assert.deepEqual(await runs([...ends, bytes.length]), atOnce);
    }
  });

  it('is the same when runs met a torn tail in between', async () => {
    const cuts = Array.from({ length: 40 }, () => 5 + random.below(bytes.length - 5)).sort((a, b) => a - b);
    assert.deepEqual(await runs([...cuts, bytes.length]), await run(bytes, NOTHING_YET, bytes.length));
  });

  it('of a prefix equals that of the whole file, for full chunks', async () => {
    const whole = await run(bytes, NOTHING_YET, bytes.length);
    for (const { end } of places) {
      const { chunks } = await run(bytes, NOTHING_YET, end);
      assert.deepEqual(chunks.slice(0, -1), whole.chunks.slice(0, chunks.length - 1));
    }
  });

  it('stays consistent when the chunk size changes', async () => {
    for (const other of [300, 5000]) {
      const half = await run(bytes, NOTHING_YET, places[30]!.end);
      const { chunks, position } = await run(bytes, half, bytes.length, other);
      assert.equal(position, bytes.length);
      for (const { start, end, hash } of chunks) assert.equal(hash, xxh64(bytes.subarray(start, end)));
      chunks.slice(1).forEach(({ start }, n) => void assert.equal(start, chunks[n]!.end));
    }
  });

  async function runs(limits: readonly number[]): Promise<Resume> {
    let resume = NOTHING_YET;
    for (const limit of limits) resume = await run(bytes, resume, limit);
    return resume;
  }
});

describe('advance', () => {
  it('stays at the same position when no complete transaction was read', async () => {
    const resume = await run(dataFs(plain(3)).bytes, NOTHING_YET, 100);
    assert.equal(await run(dataFs(plain(3)).bytes, resume, resume.position + 20), resume);
  });
});

describe('the chunk size', () => {
  it('is the requested one, unless the file would have too many chunks', () => {
    assert.equal(fittingChunkBytes(4096, 0), 4096);
    assert.equal(fittingChunkBytes(4096, 131_072 * 4096), 4096);
    assert.equal(fittingChunkBytes(4096, 131_072 * 4096 + 1), 8192);
    assert.equal(fittingChunkBytes(1 << 25, 50 * 2 ** 30), 1 << 25);
    assert.ok(2 ** 53 / fittingChunkBytes(1, 2 ** 53) <= 131_072);
  });
});
