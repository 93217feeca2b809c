import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Rule } from '../../src/filestorage/stop.js';
import { altered, concat, type DataFs, dataFs, HOSTILE, nthTid, type Place } from '../support/data-fs.js';
import { walkOver } from '../support/walking.js';

/** Two good transactions, one to be damaged, and one after it. */
const file: DataFs = dataFs([
  { records: [{ data: 'first' }] },
  { records: [{ data: 'second' }] },
  { user: 'al', records: [{ data: 'x'.repeat(60) }, { oid: 1n, prev: 60, backPointer: 60 }] },
  { records: [{ data: 'behind' }] },
]);
const bad: Place = file.places[2]!;
const [record, pointerRecord] = bad.records as [number, number];

/** Damages the third transaction and asserts where the walk stops, and why. */
function assertDamaged(change: (view: DataView) => void, at: number, rule: Rule, message: RegExp): void {
  const walk = walkOver(altered(file.bytes, change));
  assert.equal(walk.stop?.kind, 'damaged');
  const { position, tid, rule: broken, at: found, message: text } = walk.stop;
  assert.deepEqual({ position, tid, rule: broken, at: found }, { position: bad.position, tid: bad.tid, rule, at });
  assert.match(text, message);
  assert.equal(walk.end, bad.position, 'all before it is vouched for, nothing of it');
  assert.equal(walk.transactions, 2);
  assert.equal(walk.lastTid, nthTid(1));
}

describe('a damaged transaction is named by position, place, tid and rule', () => {
  it('transaction-length: shorter than its own header and texts', () => {
    const change = (view: DataView) => view.setBigUint64(bad.position + 8, 24n);
    assertDamaged(change, bad.position + 8, 'transaction-length', /length 24 is less than its own header of 25/);
  });

  it('transaction-length: 0, with other bytes in the header', () => {
    const change = (view: DataView) => view.setBigUint64(bad.position + 8, 0n);
    assertDamaged(change, bad.position + 8, 'transaction-length', /length 0/);
  });

  it('status: a byte of 0x80 or above, on which ZODB fails', () => {
    for (const status of [0x80, 0xa0, 0xff]) {
      const change = (view: DataView) => view.setUint8(bad.position + 16, status);
      assertDamaged(change, bad.position + 16, 'status', new RegExp(`0x${status.toString(16)}`));
    }
  });

  it('record-length: data beyond the transaction', () => {
    const change = (view: DataView) => view.setBigUint64(pointerRecord + 34, 9n);
    assertDamaged(change, pointerRecord + 34, 'record-length', /data length 9 exceeds available 8/);
  });

  it('record-length: a record header that does not fit the transaction', () => {
    const change = (view: DataView) => view.setBigUint64(record + 34, 69n);
    assertDamaged(change, record + 42 + 69, 'record-length', /ends beyond/);
  });

  it('record-tloc: a record that names another transaction', () => {
    const change = (view: DataView) => view.setBigUint64(record + 24, 4n);
    assertDamaged(change, record + 24, 'record-tloc', new RegExp(`names transaction 4, it is in ${bad.position}`));
  });

  it('previous-pointer: not before its own record', () => {
    const change = (view: DataView) => view.setBigUint64(record + 16, BigInt(record));
    assertDamaged(change, record + 16, 'previous-pointer', new RegExp(`${record} is not before ${record}`));
  });

  it('version-length: a version, which no longer exists', () => {
    const change = (view: DataView) => view.setUint16(record + 32, 7);
    assertDamaged(change, record + 32, 'version-length', /7, must be 0/);
  });

  it('back-pointer: not before its own record', () => {
    const change = (view: DataView) => view.setBigUint64(pointerRecord + 42, BigInt(pointerRecord));
    assertDamaged(change, pointerRecord + 42, 'back-pointer', new RegExp(`${pointerRecord} is not before`));
  });

  it('trailer: another length than the header', () => {
    const change = (view: DataView) => view.setUint8(bad.end - 1, view.getUint8(bad.end - 1) + 1);
    assertDamaged(change, bad.end - 8, 'trailer', /in the trailer, \d+ in the header/);
  });

  it('record-tloc: zeros instead of a record header', () => {
    const change = (view: DataView) => {
      for (let at = record; at < record + 42; at++) view.setUint8(at, 0);
    };
    assertDamaged(change, record + 24, 'record-tloc', /names transaction 0/);
  });
});

describe('stops of a walk that are no damage', () => {
  const walkWith = (change: (view: DataView) => void) => walkOver(altered(file.bytes, change));

  it('in-flight: status c, with its stated length', () => {
    const walk = walkWith((view) => view.setUint8(bad.position + 16, 0x63));
    assert.deepEqual(walk.stop, { kind: 'in-flight', position: bad.position, length: bad.end - bad.position - 8 });
    assert.equal(walk.end, bad.position);
  });

  it('in-flight: status c wins over any lengths', () => {
    const walk = walkWith((view) => {
      view.setUint8(bad.position + 16, 0x63);
      view.setBigUint64(bad.position + 8, (1n << 64n) - 1n);
    });
    assert.deepEqual(walk.stop, { kind: 'in-flight', position: bad.position, length: Number.POSITIVE_INFINITY });
  });

  it('torn: a length beyond the file', () => {
    const walk = walkWith((view) => view.setBigUint64(bad.position + 8, BigInt(file.bytes.length)));
    assert.deepEqual(walk.stop, { kind: 'torn', position: bad.position });
  });

  it('torn: any number of zeros instead of a transaction', () => {
    for (const zeros of [1, 22, 23, 31, 1000]) {
      const walk = walkOver(concat(file.bytes, new Uint8Array(zeros)));
      assert.deepEqual(walk.stop, { kind: 'torn', position: file.bytes.length });
      assert.equal(walk.end, file.bytes.length);
    }
  });

  it('torn: a file truncated anywhere inside its last transaction', () => {
    const last = file.places.at(-1)!;
    for (let length = last.position + 1; length < last.end; length++) {
      const walk = walkOver(file.bytes.slice(0, length));
      assert.deepEqual(walk.stop, { kind: 'torn', position: last.position });
      assert.equal(walk.transactions, 3);
    }
  });

  it('torn: bytes that end before the limit', () => {
    const walk = walkOver(file.bytes.slice(0, bad.position + 30), { limit: file.bytes.length });
    assert.deepEqual(walk.stop, { kind: 'torn', position: bad.position });
  });

  it('an undone transaction may contain anything, as for ZODB', () => {
    const walk = walkWith((view) => {
      view.setUint8(bad.position + 16, 0x75);
      for (let at = record; at < bad.end - 8; at++) view.setUint8(at, 0xff);
    });
    assert.equal(walk.stop?.kind, 'end');
    assert.equal(walk.transactions, 4);
  });
});

describe('hostile 64-bit values stop the walk at their transaction', () => {
  const fields: Readonly<Record<string, number>> = {
    'transaction length': bad.position + 8,
    'data length': record + 34,
    'previous pointer': record + 16,
    'transaction pointer': record + 24,
    'back pointer': pointerRecord + 42,
    trailer: bad.end - 8,
  };
  for (const [name, at] of Object.entries(fields)) {
    for (const value of HOSTILE) {
      it(`${name} ${value}`, () => {
        const harmless = (name === 'previous pointer' || name === 'back pointer') && value < BigInt(record);
        const walk = walkOver(altered(file.bytes, (view) => view.setBigUint64(at, value)));
        if (harmless) return assert.equal(walk.stop?.kind, 'end');
        assert.ok(walk.stop?.kind === 'damaged' || walk.stop?.kind === 'torn', walk.stop?.kind);
        assert.equal(walk.stop.position, bad.position);
        assert.equal(walk.end, bad.position);
      });
    }
  }
});
