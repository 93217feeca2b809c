import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { altered, dataFs, HOSTILE } from '../support/data-fs.js';
import { Random } from '../support/random.js';
import { findings, WINDOWS, walkOver } from '../support/walking.js';

const file = dataFs([
  { description: 'root', records: [{ data: 'root' }] },
  { user: 'al', records: [{ data: 'a' }, { oid: 1n, backPointer: 4 }] },
  {},
  { status: 'p', records: [{ data: 'x'.repeat(90) }] },
  { status: 'u', records: [{ data: 'y' }] },
  { records: [{ oid: 0n, prev: 40, data: 'z'.repeat(30) }] },
]);
const boundaries = new Set([4, ...file.places.map(({ end }) => end)]);

/** What holds for every walk over any bytes. */
function assertTotal(bytes: Uint8Array, window: number): ReturnType<typeof walkOver> {
  const reported: [number, number][] = [];
  const walk = walkOver(bytes, { window, onTransaction: (at, length) => void reported.push([at, at + length + 8]) });
  const limit = bytes.length;
  assert.ok(walk.stop !== undefined);
  assert.ok(walk.end <= limit && walk.end >= 4, `end ${walk.end} of ${limit}`);
  assert.ok(walk.stop.position === walk.end, 'it stops at the boundary that it vouches for');
  let boundary = 4;
  for (const [from, to] of reported) {
    assert.equal(from, boundary, 'transactions lie back to back');
    boundary = to;
  }
  assert.equal(boundary, walk.end);
  assert.equal(reported.length, walk.transactions);
  return walk;
}

describe('any bytes lead to a stop that names a boundary', () => {
  it('three thousand random mutations of a good file', () => {
    const random = new Random(1);
    for (let round = 0; round < 3000; round++) {
      const bytes = altered(file.bytes, (view) => {
        for (let changes = 1 + random.below(3); changes > 0; changes--) {
          if (random.below(2) === 0) view.setUint8(random.below(view.byteLength), random.below(256));
          else view.setBigUint64(random.below(view.byteLength - 8), random.pick(HOSTILE));
        }
      });
      const window = random.pick(WINDOWS);
      assert.deepEqual(findings(assertTotal(bytes, window)), findings(walkOver(bytes)));
    }
  });

  it('the same with pieces removed, duplicated and exchanged', () => {
    const random = new Random(2);
    for (let round = 0; round < 1000; round++) {
      const [a, b] = [random.below(file.bytes.length), random.below(file.bytes.length)];
      const piece = file.bytes.slice(Math.min(a, b), Math.max(a, b));
      const at = 4 + random.below(file.bytes.length - 4);
      const bytes = new Uint8Array(
        Buffer.concat([file.bytes.slice(0, at), piece, file.bytes.slice(random.below(file.bytes.length))]),
      );
      assertTotal(bytes, random.pick(WINDOWS));
    }
  });

  it('two thousand files of random bytes, with and without headers in them', () => {
    const random = new Random(3);
    for (let round = 0; round < 2000; round++) {
      const bytes = random.bytes(4 + random.below(300));
      if (bytes.length > 60) {
        const view = new DataView(bytes.buffer);
        view.setBigUint64(12, BigInt(random.below(80)));
        view.setUint8(20, random.pick([0x20, 0x70, 0x75, 0x63]));
        for (const length of [21, 23, 25]) view.setUint16(length, random.below(4));
      }
      assertTotal(bytes, random.pick(WINDOWS));
    }
  });

  it('a good file with one flipped bit is never accepted beyond the bit, unless no rule covers it', () => {
    for (let at = 4; at < file.bytes.length; at++) {
      const bytes = altered(file.bytes, (_view, copy) => {
        copy[at] = copy[at]! ^ 0x10;
      });
      const walk = assertTotal(bytes, 64);
      const healed = walk.stop?.kind === 'end';
      assert.ok(healed || walk.end <= at, `flipped at ${at}, vouched up to ${walk.end}`);
      assert.ok(boundaries.has(walk.end));
    }
  });

  it('a walk without input ends as torn', () => {
    const walk = walkOver(new Uint8Array(4), { limit: 100 });
    assert.deepEqual(walk.stop, { kind: 'torn', position: 4 });
  });
});
