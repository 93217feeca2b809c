import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ChunkFacts, type ChunkTask, readChunk } from '../../src/pipeline/chunk.js';
import { Window } from '../../src/pipeline/window.js';
import { xxh64 } from '../support/chunks.js';
import { altered, dataFs, filler, nthTid, plain } from '../support/data-fs.js';
import { MemoryFile } from '../support/memory-file.js';
import { WINDOWS } from '../support/walking.js';

const SIZES = WINDOWS.map((size) => (Number.isFinite(size) ? size : 1 << 16));

interface Read {
  readonly facts: ChunkFacts;
  /** The delivered bytes, and the largest end reported. */
  readonly bytes: Uint8Array;
}

async function read(bytes: Uint8Array, task: Partial<ChunkTask> = {}, windowBytes = 1 << 16): Promise<Read> {
  const file = new MemoryFile(bytes);
  const whole = { start: 4, from: 4, hashState: '', cutAt: Number.POSITIVE_INFINITY, limit: bytes.length, lastTid: 0n };
  const chunk = { ...whole, ...task };
  const delivered: Uint8Array[] = [];
  let next = chunk.from;
  const facts = await readChunk(chunk, new Window(windowBytes), file.read, (piece, position) => {
    assert.equal(position, next, 'pieces come back to back');
    next += piece.length;
    delivered.push(piece.slice());
    piece.fill(0);
  });
  return { facts, bytes: new Uint8Array(Buffer.concat(delivered)) };
}

describe('a chunk', () => {
  const file = dataFs([...plain(3, 100), {}, { records: [{ data: filler(5000) }] }, ...plain(2)]);

  it('has the hash of its bytes and delivers them, for any window size', async () => {
    for (const size of SIZES) {
      const { facts, bytes } = await read(file.bytes, {}, size);
      assert.equal(facts.hash, xxh64(file.bytes.subarray(4)));
      assert.deepEqual(bytes, file.bytes.slice(4));
      assert.deepEqual(facts.stop, { kind: 'end', position: file.bytes.length });
      assert.deepEqual([facts.start, facts.end], [4, file.bytes.length]);
      assert.deepEqual([facts.firstTid, facts.lastTid], [nthTid(0), nthTid(6)]);
      assert.deepEqual([facts.transactions, facts.records], [7, 6]);
    }
  });

  it('ends at the first boundary at or beyond the cut, in all its results', async () => {
    const { end } = file.places[1]!;
    for (const size of SIZES) {
      for (const cutAt of [end - 1, end]) {
        const { facts, bytes } = await read(file.bytes, { cutAt }, size);
        assert.deepEqual(facts.stop, { kind: 'cut', position: end });
        assert.equal(facts.end, end);
        assert.equal(facts.hash, xxh64(file.bytes.subarray(4, end)));
        assert.equal(bytes.length, end - 4);
      }
    }
  });

  it('consists of one transaction if that is larger than the cut', async () => {
    const { position, end } = file.places[4]!;
    const { facts } = await read(file.bytes, { start: position, from: position, cutAt: position + 64 }, 128);
    assert.deepEqual([facts.start, facts.end, facts.transactions], [position, end, 1]);
  });

  it('continues from its hash state in another run, at any boundary', async () => {
    for (const { end } of file.places) {
      const first = (await read(file.bytes, { limit: end })).facts;
      const again = { start: 4, from: end, hashState: first.hashState, lastTid: first.lastTid };
      const { facts, bytes } = await read(file.bytes, again, 64);
      assert.equal(facts.start, 4);
      assert.equal(facts.hash, xxh64(file.bytes.subarray(4)));
      assert.deepEqual(bytes, file.bytes.slice(end));
      assert.equal(facts.transactions, 7 - first.transactions);
      assert.equal(facts.hashState, (await read(file.bytes)).facts.hashState);
    }
  });
});

describe('of an incomplete chunk', () => {
  const file = dataFs([...plain(3, 100), { records: [{ data: filler(900) }, { data: 'x' }] }]);
  const last = file.places.at(-1)!;
  const broken: Readonly<Record<string, Uint8Array>> = {
    'in-flight': altered(file.bytes, (view) => view.setUint8(last.position + 16, 0x63)),
    torn: file.bytes.slice(0, -5),
    damaged: altered(file.bytes, (view) => view.setUint8(last.records[1]! + 31, 1)),
  };
  for (const [kind, bytes] of Object.entries(broken)) {
    it(`(${kind}) hash and counts are those of the complete transactions before`, async () => {
      for (const size of SIZES) {
        const { facts, bytes: delivered } = await read(bytes, {}, size);
        assert.equal(facts.stop.kind, kind);
        assert.deepEqual([facts.end, facts.transactions, facts.lastTid], [last.position, 3, nthTid(2)]);
        assert.equal(facts.hash, xxh64(bytes.subarray(4, last.position)));
        assert.deepEqual(delivered.slice(0, last.position - 4), bytes.slice(4, last.position));
      }
    });

    it(`(${kind}) the hash state allows a continuation when the rest has arrived`, async () => {
      const { facts } = await read(bytes, {}, 64);
      const again = { from: facts.end, hashState: facts.hashState, lastTid: facts.lastTid };
      assert.equal((await read(file.bytes, again)).facts.hash, xxh64(file.bytes.subarray(4)));
    });
  }

  it('nothing is reported without a complete transaction', async () => {
    const { facts, bytes } = await read(altered(file.bytes, (view) => view.setUint8(20, 0x63)));
    assert.deepEqual([facts.end, facts.transactions, facts.firstTid], [4, 0, 0n]);
    assert.equal(facts.hash, xxh64(new Uint8Array(0)));
    assert.equal(bytes.length, 0);
  });

  it('the file is torn if it was truncated after its size was read', async () => {
    for (const size of SIZES) {
      const { facts } = await read(file.bytes.slice(0, last.position + 100), { limit: file.bytes.length }, size);
      assert.deepEqual(facts.stop, { kind: 'torn', position: last.position });
      assert.equal(facts.hash, xxh64(file.bytes.subarray(4, last.position)));
    }
  });
});
