import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findBoundary } from '../../src/filestorage/boundary.js';
import { altered, concat, dataFs, filler, HOSTILE, plain } from '../support/data-fs.js';
import { Random } from '../support/random.js';
import { walkOver } from '../support/walking.js';

/** Searches the file's bytes from `from` on, or only `length` of them. */
function find(bytes: Uint8Array, from: number, length = bytes.length - from, limit = bytes.length): number | undefined {
  return findBoundary(new DataView(bytes.buffer, from), length, from, limit);
}

describe('findBoundary', () => {
  const file = dataFs(plain(5, 70));

  it('finds the next transaction from every position in a file', () => {
    for (let from = 0; from < file.bytes.length; from++) {
      const next = file.places.find(({ position }) => position >= from)?.position;
      assert.equal(find(file.bytes, from), next, `from ${from}`);
    }
  });

  it('finds committed, packed and undone transactions', () => {
    const other = dataFs([...plain(1), ...[' ', 'p', 'u'].map((status) => ({ status, records: [{ data: 'x' }] }))]);
    for (const { position } of other.places.slice(1)) assert.equal(find(other.bytes, position), position);
  });

  it('skips what it cannot prove or must not start at', () => {
    const other = dataFs([...plain(1), {}, { status: 'c', records: [{ data: 'x' }] }, ...plain(1)]);
    assert.equal(find(other.bytes, 5), other.places[3]!.position);
  });

  it('finds nothing when the first record is not in the view', () => {
    const { position, records } = file.places[1]!;
    assert.equal(find(file.bytes, position, records[0]! + 41 - position), undefined);
    assert.equal(find(file.bytes, position, records[0]! + 42 - position), position);
  });

  it('finds nothing in a transaction that the file is too short for', () => {
    const { position, end } = file.places[4]!;
    assert.equal(find(file.bytes, position, end - position, end - 1), undefined);
  });

  it('finds nothing when the first record has another tid', () => {
    const { position, records } = file.places[4]!;
    assert.equal(
      find(
        altered(file.bytes, (view) => view.setUint8(records[0]! + 8, 9)),
        position,
      ),
      undefined,
    );
  });

  it('finds nothing in a few bytes or none', () => {
    for (let length = 0; length < 65; length++) assert.equal(find(file.bytes, 4, length), undefined);
  });

  it('is not misled by hostile lengths', () => {
    const { position, records } = file.places[2]!;
    for (const value of HOSTILE) {
      for (const at of [position + 8, records[0]! + 24]) {
        const found = find(
          altered(file.bytes, (view) => view.setBigUint64(at, value)),
          position,
        );
        assert.equal(found, file.places[3]!.position);
      }
    }
  });

  it('never throws and never leaves the view, whatever the bytes', () => {
    const random = new Random(4);
    for (let round = 0; round < 2000; round++) {
      const bytes = round % 2 === 0 ? random.bytes(random.below(400)) : file.bytes.slice();
      if (bytes.length === 0) continue;
      for (let n = 0; n < 8; n++) bytes[random.below(bytes.length)] = random.pick([0x20, 0x70, 0, 255]);
      const from = random.below(bytes.length);
      const found = find(bytes, from);
      assert.ok(found === undefined || (found >= from && found < bytes.length));
    }
  });
});

describe('a Data.fs that is stored inside a record', () => {
  it('with its own positions is not mistaken for transactions', () => {
    const inner = dataFs(plain(4));
    const outer = dataFs([...plain(1), { records: [{ data: inner.bytes }] }, ...plain(1)]);
    assert.equal(find(outer.bytes, outer.places[1]!.records[0]!), outer.places[2]!.position);
  });

  it('with positions that fit its place is a false find, at which no walk ever arrives', () => {
    const before = dataFs(plain(1));
    const dataAt = before.bytes.length + 23 + 42;
    const inner = dataFs(plain(4), dataAt);
    const data = concat(inner.bytes, filler(50));
    const outer = dataFs([...plain(1), { records: [{ data }] }, ...plain(2)]);
    const found = find(outer.bytes, outer.places[1]!.records[0]!);
    assert.equal(found, dataAt + 4, 'the guess is wrong');
    assert.ok(!outer.places.some(({ position }) => position === found));
    const walk = walkOver(outer.bytes, { start: found });
    const honest = new Set(outer.places.map(({ end }) => end));
    assert.equal(walk.stop?.kind === 'end', false);
    assert.ok(!honest.has(walk.end), 'the walk from there never meets a true boundary');
  });
});
