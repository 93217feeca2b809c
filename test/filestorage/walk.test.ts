import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { altered, concat, type Draft, dataFs, filler, nthTid, plain } from '../support/data-fs.js';
import { findings, WINDOWS, walkOver } from '../support/walking.js';

/** Every kind of transaction that a healthy file can contain. */
const GOLDEN: readonly Draft[] = [
  { description: 'initial database creation', records: [{ data: 'root' }] },
  { user: 'al', description: 'edit', extension: 'x', records: [{ data: 'a' }, { data: filler(300) }] },
  {},
  { user: 'only a user' },
  { status: 'p', records: [{ oid: 1n, prev: 4, data: 'packed' }] },
  { status: 'u', records: [{ data: 'undone long ago' }] },
  { description: 'undo', records: [{ oid: 1n, backPointer: 0 }, { oid: 2n, backPointer: 100 }, { data: 'z' }] },
  { records: [{ data: filler(5000) }] },
];

describe('a walk over a healthy file', () => {
  const file = dataFs(GOLDEN);

  it('reaches the end and counts transactions and the records of those that are not undone', () => {
    const walk = walkOver(file.bytes);
    assert.deepEqual(walk.stop, { kind: 'end', position: file.bytes.length });
    assert.equal(walk.end, file.bytes.length);
    assert.equal(walk.transactions, GOLDEN.length);
    assert.equal(walk.records, 8);
    assert.equal(walk.firstTid, nthTid(0));
    assert.equal(walk.lastTid, nthTid(GOLDEN.length - 1));
    assert.equal(walk.warningCount, 0);
  });

  it('reports each transaction with its position, length, tid and status', () => {
    const reported: unknown[] = [];
    walkOver(file.bytes, { onTransaction: (...facts) => void reported.push(facts) });
    const expected = file.places.map(({ position, end, tid }, n) => {
      return [position, end - position - 8, tid, (GOLDEN[n]!.status ?? ' ').charCodeAt(0)];
    });
    assert.deepEqual(reported, expected);
  });

  it('reports each record with its oid, its pointers and its length, for any windows', () => {
    const { position } = file.places[6]!;
    for (const window of WINDOWS) {
      const reported: unknown[] = [];
      walkOver(file.bytes, { window, start: position, onRecord: (...facts) => void reported.push(facts) });
      const first = position + 23 + 'undo'.length;
      assert.deepEqual(reported.slice(0, 3), [
        [first, 0, 1, 0, 0, 0],
        [first + 50, 0, 2, 0, 0, 100],
        [first + 100, 0, 2, 0, 1, 0],
      ]);
      assert.equal(reported.length, 4);
    }
  });

  it('can start at any transaction', () => {
    file.places.forEach(({ position }, n) => {
      const walk = walkOver(file.bytes, { start: position });
      assert.equal(walk.end, file.bytes.length);
      assert.equal(walk.transactions, GOLDEN.length - n);
    });
  });

  it('of a file with nothing behind its magic has nothing to do', () => {
    const walk = walkOver(dataFs([]).bytes);
    assert.deepEqual(walk.stop, { kind: 'end', position: 4 });
    assert.equal(walk.transactions, 0);
  });

  it('sees nothing beyond its limit', () => {
    const walk = walkOver(file.bytes, { limit: file.places[3]!.end });
    assert.deepEqual(walk.stop, { kind: 'end', position: file.places[3]!.end });
    assert.equal(walk.transactions, 4);
  });
});

describe('a walk is cut', () => {
  const file = dataFs(plain(6));

  it('at the first boundary at or beyond the requested position', () => {
    const { position, end } = file.places[2]!;
    for (const cutAt of [position + 1, position + 30, end]) {
      const walk = walkOver(file.bytes, { cutAt });
      assert.deepEqual(walk.stop, { kind: 'cut', position: end });
      assert.equal(walk.transactions, 3);
    }
  });

  it('not at all when the file ends there', () => {
    assert.equal(walkOver(file.bytes, { cutAt: file.bytes.length }).stop?.kind, 'end');
  });

  it('after one transaction if that one ends beyond the position already', () => {
    assert.equal(walkOver(file.bytes, { cutAt: 0 }).transactions, 1);
  });
});

describe('a walk warns, and continues,', () => {
  it('of tids that do not rise', () => {
    const file = dataFs([{ tid: 5n }, { tid: 5n }, { tid: 4n }, { tid: 6n }]);
    const walk = walkOver(file.bytes);
    assert.equal(walk.stop?.kind, 'end');
    assert.deepEqual(
      walk.warnings,
      [1, 2].map((n) => ({ position: file.places[n]!.position, tid: BigInt(6 - n), rule: 'tid-order' })),
    );
  });

  it('of a first tid that is not above the previous one', () => {
    const walk = walkOver(dataFs([{ tid: 7n }]).bytes, { lastTid: 7n });
    assert.deepEqual(walk.warnings, [{ position: 4, tid: 7n, rule: 'tid-order' }]);
  });

  it('of an unknown status', () => {
    const walk = walkOver(dataFs([{ status: 'x' }]).bytes);
    assert.equal(walk.stop?.kind, 'end');
    assert.deepEqual(walk.warnings, [{ position: 4, tid: nthTid(0), rule: 'unknown-status' }]);
  });

  it("once of records that do not have their transaction's tid", () => {
    const file = dataFs([{ records: [{ data: 'a' }, { data: 'b' }] }]);
    const bytes = altered(file.bytes, (view) => {
      for (const record of file.places[0]!.records) view.setBigUint64(record + 8, 1n);
    });
    const walk = walkOver(bytes);
    assert.equal(walk.stop?.kind, 'end');
    assert.deepEqual(walk.warnings, [{ position: 4, tid: nthTid(0), rule: 'record-tid' }]);
  });

  it('keeping a hundred warnings and counting all', () => {
    const walk = walkOver(dataFs(Array.from({ length: 150 }, () => ({ tid: 9n }))).bytes);
    assert.equal(walk.warnings.length, 100);
    assert.equal(walk.warningCount, 149);
  });
});

describe('the outcome does not depend on the windows', () => {
  const healthy = dataFs(GOLDEN);
  const last = healthy.places.at(-1)!;
  const withWarnings = dataFs([{ tid: 5n, status: 'x' }, { tid: 4n, records: [{ data: 'a' }] }, { tid: 9n }]);
  const files: Readonly<Record<string, Uint8Array>> = {
    healthy: healthy.bytes,
    'with warnings': withWarnings.bytes,
    'in flight': altered(healthy.bytes, (view) => view.setUint8(last.position + 16, 0x63)),
    torn: healthy.bytes.slice(0, last.end - 3),
    'torn in a header': healthy.bytes.slice(0, last.position + 11),
    'zeros behind it': concat(healthy.bytes, new Uint8Array(300)),
    'few zeros behind it': concat(healthy.bytes, new Uint8Array(5)),
    'wrong trailer': altered(healthy.bytes, (view) => view.setUint8(last.end - 1, 9)),
    'wrong tloc': altered(healthy.bytes, (view) => view.setUint8(last.records[0]! + 31, 9)),
    'wrong back pointer': altered(healthy.bytes, (view) => view.setUint8(healthy.places[6]!.records[1]! + 45, 9)),
  };
  for (const [name, bytes] of Object.entries(files)) {
    it(name, () => {
      const expected = findings(walkOver(bytes));
      for (const window of WINDOWS) assert.deepEqual(findings(walkOver(bytes, { window })), expected);
      for (const cutAt of [5, 100, 1000]) {
        const cut = findings(walkOver(bytes, { cutAt }));
        for (const window of WINDOWS) assert.deepEqual(findings(walkOver(bytes, { cutAt, window })), cut);
      }
    });
  }
});
