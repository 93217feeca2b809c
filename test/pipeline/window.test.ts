import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import xxhash from 'xxhash-wasm';
import { savedStateLength, Window } from '../../src/pipeline/window.js';
import { xxh64 } from '../support/chunks.js';
import { ascii, filler } from '../support/data-fs.js';

/** XXH64 with seed 0, from the algorithm's own sanity checks and xxhsum. */
const VECTORS: readonly (readonly [string, string])[] = [
  ['', 'ef46db3751d8e999'],
  ['a', 'd24ec4f1a98c6e5b'],
  ['abc', '44bc2cf5ad770999'],
  ['Nobody inspects the spammish repetition', 'fbcea83c8a378bf1'],
];

const LENGTHS = [0, 1, 3, 4, 8, 31, 32, 33, 63, 64, 65, 100, 1000];

function hashInPieces(bytes: Uint8Array, piece: number): string {
  const window = new Window(1 << 16);
  for (let done = 0; done < bytes.length; done += piece) {
    const part = bytes.subarray(done, done + piece);
    window.bytes.set(part, 5);
    window.add(5, 5 + part.length);
  }
  return window.digest();
}

describe('a window hashes', () => {
  for (const [text, hash] of VECTORS) {
    it(`${JSON.stringify(text)} to its known XXH64`, () => assert.equal(xxh64(ascii(text)), hash));
  }

  it('like the package that the module comes from', async () => {
    const { h64Raw } = await xxhash();
    for (const length of LENGTHS) {
      const bytes = filler(length);
      assert.equal(xxh64(bytes), h64Raw(bytes).toString(16).padStart(16, '0'));
    }
  });

  it('the same for any division into pieces', () => {
    for (const length of LENGTHS) {
      for (const piece of [1, 7, 31, 32, 33, 200]) {
        assert.equal(hashInPieces(filler(length), piece), xxh64(filler(length)), `${length} by ${piece}`);
      }
    }
  });

  it('from the start after a reset', () => {
    const window = new Window(1 << 16);
    window.bytes.set(filler(77));
    window.add(0, 77);
    window.reset();
    window.add(0, 50);
    assert.equal(window.digest(), xxh64(filler(50)));
  });

  it('further after a digest', () => {
    const window = new Window(1 << 16);
    window.bytes.set(filler(90));
    window.add(0, 40);
    window.digest();
    window.add(40, 90);
    assert.equal(window.digest(), xxh64(filler(90)));
  });
});

describe("a window's hash state", () => {
  it('continues in another window, after any number of bytes', () => {
    const bytes = filler(300);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const first = new Window(1 << 16);
      first.bytes.set(bytes);
      first.add(0, cut);
      const saved = first.save();
      assert.equal(saved.length, savedStateLength(cut));
      const second = new Window(1 << 16);
      second.add(0, 13);
      second.restore(saved, cut);
      second.bytes.set(bytes);
      second.add(cut, bytes.length);
      assert.equal(second.digest(), xxh64(bytes), `cut at ${cut}`);
    }
  });

  it('is the same text for the same bytes, however they arrived', () => {
    const states = [1, 5, 32, 100].map((piece) => {
      const window = new Window(1 << 16);
      window.bytes.set(filler(75));
      for (let done = 0; done < 75; done += piece) window.add(done, Math.min(75, done + piece));
      return window.save();
    });
    assert.equal(new Set(states).size, 1);
  });

  it('is refused if it does not match the number of bytes', () => {
    const window = new Window(1 << 16);
    const saved = window.save();
    for (const [text, length] of [
      [saved, 1],
      [`${saved}00`, 0],
      ['', 0],
      [saved.slice(2), 0],
    ] as const) {
      assert.throws(() => window.restore(text, length), RangeError);
    }
  });

  it('can be marked and restored', () => {
    const window = new Window(1 << 16);
    window.bytes.set(filler(100));
    window.add(0, 45);
    const mark = window.mark();
    window.add(45, 100);
    window.rewind(mark);
    assert.equal(window.digest(), xxh64(filler(45)));
    window.add(45, 100);
    assert.equal(window.digest(), xxh64(filler(100)));
  });
});

describe('a window', () => {
  it('has the requested size, and keeps its bytes apart from the hash', () => {
    const window = new Window(3 * 65_536);
    window.bytes.fill(255);
    assert.equal(window.bytes.length, 3 * 65_536);
    assert.equal(window.view.byteLength, window.size);
    assert.equal(window.digest(), VECTORS[0]![1]);
  });
});
