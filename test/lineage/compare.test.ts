import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Comparison, compare, sameMagic } from '../../src/lineage/compare.js';
import { NOTHING_YET } from '../../src/pipeline/chunk-table.js';
import type { Resume } from '../../src/pipeline/resume.js';
import { Window } from '../../src/pipeline/window.js';
import { xxh64 } from '../support/chunks.js';
import { altered, ascii, concat, dataFs, filler, plain } from '../support/data-fs.js';
import { MemoryFile } from '../support/memory-file.js';

const CHUNK = 1000;
const windows = [new Window(1 << 16), new Window(1 << 16)] as const;
const small = [new Window(64), new Window(64)] as const;

async function compared(slave: Uint8Array, master: Uint8Array, from: Resume = NOTHING_YET): Promise<Comparison> {
  const results = [];
  for (const pair of [windows, small]) {
    results.push(await compare(new MemoryFile(master), new MemoryFile(slave), from, CHUNK, pair));
  }
  assert.deepEqual(results[0], results[1], 'the size of the windows makes no difference');
  return results[0]!;
}

const file = dataFs([...plain(20, 100), {}, { records: [{ data: filler(3000) }] }, ...plain(5)]);
const { bytes, places } = file;

describe('comparing a slave with its master', () => {
  it('finds them equal up to the end, with all chunks', async () => {
    const { equalUpTo, position, slaveEnd, slaveStop, chunks } = await compared(bytes, bytes);
    assert.deepEqual([equalUpTo, position, slaveEnd, slaveStop], [bytes.length, bytes.length, bytes.length, 'end']);
    assert.ok(chunks.length > 3);
    for (const { start, end, hash } of chunks) assert.equal(hash, xxh64(bytes.subarray(start, end)));
  });

  it('finds a prefix equal at every boundary', async () => {
    for (const { end } of places) {
      const { equalUpTo, slaveEnd, slaveStop } = await compared(bytes.slice(0, end), bytes);
      assert.deepEqual([equalUpTo, slaveEnd, slaveStop], [end, end, 'end']);
    }
  });

  it("finds that a slave has grown beyond the master's end", async () => {
    const { equalUpTo, slaveEnd } = await compared(bytes, bytes.slice(0, places[10]!.end));
    assert.deepEqual([equalUpTo, slaveEnd], [places[10]!.end, bytes.length]);
  });

  it('goes back to the last boundary before the first different byte, wherever that is', async () => {
    for (let at = 4; at < bytes.length; at += 37) {
      const { equalUpTo, firstDifference, chunks } = await compared(
        altered(bytes, (view) => view.setUint8(at, view.getUint8(at) ^ 0x01)),
        bytes,
      );
      const place = places.find(({ end }) => end > at)!;
      assert.equal(equalUpTo, place.position, `differs at ${at}`);
      assert.equal(firstDifference, at);
      const last = chunks.at(-1);
      assert.equal(last?.end ?? 4, place.position);
      if (last) assert.equal(last.hash, xxh64(bytes.subarray(last.start, last.end)));
    }
  });

  it('names where the walk over the slave stops, and why', async () => {
    const last = places.at(-1)!;
    const inFlight = altered(bytes, (view) => view.setUint8(last.position + 16, 0x63));
    const damaged = altered(bytes, (view) => view.setUint8(last.records[0]! + 31, 1));
    const cases = [
      [inFlight, 'in-flight'],
      [bytes.slice(0, -3), 'torn'],
      [damaged, 'damaged'],
    ] as const;
    for (const [slave, stop] of cases) {
      const { equalUpTo, slaveEnd, slaveStop } = await compared(slave, bytes);
      assert.deepEqual([equalUpTo, slaveEnd, slaveStop], [last.position, last.position, stop]);
    }
  });

  it('compares only from the position that is known to be equal', async () => {
    const from = await compared(bytes.slice(0, places[12]!.end), bytes);
    const master = new MemoryFile(bytes);
    const found = await compare(master, new MemoryFile(bytes), from, CHUNK, windows);
    assert.equal(found.equalUpTo, bytes.length);
    assert.ok(master.reads.every(([position]) => position >= from.position));
    assert.deepEqual(found.chunks, (await compared(bytes, bytes)).chunks);
  });

  it('has nothing to compare for a slave that ends at that position', async () => {
    const from = await compared(bytes.slice(0, places[12]!.end), bytes);
    const { equalUpTo, slaveStop } = await compared(bytes.slice(0, places[12]!.end), bytes, from);
    assert.deepEqual([equalUpTo, slaveStop], [places[12]!.end, 'end']);
  });
});

describe('damage of the master', () => {
  const { position, records } = places[15]!;
  const damaged = altered(bytes, (view) => view.setUint8(records[0]! + 31, 1));

  it('is reported when everything before it is equal', async () => {
    const { masterDamaged, equalUpTo } = await compared(damaged, damaged);
    assert.deepEqual([masterDamaged?.position, masterDamaged?.rule, equalUpTo], [position, 'record-tloc', position]);
  });

  it('is not reported when the difference comes first', async () => {
    const other = altered(damaged, (view) => view.setUint8(places[3]!.records[0]! + 60, 9));
    const { masterDamaged, equalUpTo } = await compared(other, damaged);
    assert.deepEqual([masterDamaged, equalUpTo], [undefined, places[3]!.position]);
  });
});

describe('the reported first difference', () => {
  const common = dataFs(plain(3, 100));

  it("is the start of each side's own transactions, also when the slave is the shorter one", async () => {
    const [short, long] = [40, 400].map((length) => [
      ...plain(3, 100),
      { tid: BigInt(length) << 40n, ...plain(1, length)[0] },
    ]);
    const [slave, master] = [dataFs(short!).bytes, dataFs(long!).bytes];
    const { equalUpTo, firstDifference } = await compared(slave, master);
    assert.equal(equalUpTo, common.bytes.length);
    assert.ok(firstDifference < common.bytes.length + 23, `named ${firstDifference}, forked at ${equalUpTo}`);
  });

  it('is in the first transaction that differs, even if it is in flight on the master', async () => {
    const ours = [...plain(3, 100), { tid: 1n << 60n, records: [{ data: 'ours' }] }];
    const master = dataFs([...plain(3, 100), { tid: 1n << 61n, status: 'c', records: [{ data: 'theirs' }] }]);
    const { firstDifference } = await compared(dataFs(ours).bytes, master.bytes);
    assert.equal(firstDifference, common.bytes.length);
  });
});

describe('the same magic', () => {
  const magic = (a: string, b: string) => sameMagic(new MemoryFile(ascii(a)), new MemoryFile(ascii(b)));

  it('is that of two files with the same first four bytes', async () => {
    assert.equal(await magic('FS30abc', 'FS30'), true);
    assert.equal(await magic('FS30', 'FS21'), false);
    assert.equal(await magic('FS3', 'FS3'), false);
    assert.equal(await magic('', ''), false);
  });

  it('does not depend on what follows', async () => {
    assert.equal(await magic('FS30', String.fromCharCode(...concat(ascii('FS30'), ascii('x')))), true);
  });
});
