import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BackwardReader, type FoundTransaction } from '../../src/filestorage/backward.js';
import { altered, concat, dataFs, filler, HOSTILE, plain } from '../support/data-fs.js';
import { MemoryFile } from '../support/memory-file.js';
import { Random } from '../support/random.js';

const file = dataFs([
  ...plain(3),
  {},
  { user: 'al', description: 'a long one', records: [{ data: filler(200_000) }] },
  { status: 'p', records: [{ data: 'x' }, { oid: 1n, backPointer: 60 }] },
  ...plain(2),
]);

async function readAll(bytes: Uint8Array, end = bytes.length): Promise<[FoundTransaction[], 'start' | 'broken']> {
  const found: FoundTransaction[] = [];
  const transactions = new BackwardReader(new MemoryFile(bytes)).from(end);
  for (let next = await transactions.next(); ; next = await transactions.next()) {
    if (next.done) return [found, next.value];
    found.push(next.value);
  }
}

describe('reading a file backward', () => {
  it('finds every transaction, newest first, and the start', async () => {
    const [found, how] = await readAll(file.bytes);
    assert.equal(how, 'start');
    const places = file.places.map(({ position, end, tid }) => ({ position, end, tid })).reverse();
    assert.deepEqual(
      found.map(({ position, end, tid }) => ({ position, end, tid })),
      places,
    );
    assert.deepEqual(found[2]!.status, 'p'.charCodeAt(0));
    assert.deepEqual([found[3]!.userLength, found[3]!.descriptionLength, found[3]!.extensionLength], [2, 10, 0]);
  });

  it('can start at any boundary, and nowhere else', async () => {
    const reader = new BackwardReader(new MemoryFile(file.bytes));
    const ends = new Map(file.places.map((place) => [place.end, place.position]));
    for (let end = 0; end < 400; end++) {
      assert.equal((await reader.endingAt(end))?.position, ends.get(end), `at ${end}`);
    }
    for (const [end, position] of ends) assert.equal((await reader.endingAt(end))?.position, position);
  });

  it('finds nothing beyond the end of the file', async () => {
    assert.equal(await new BackwardReader(new MemoryFile(file.bytes)).endingAt(file.bytes.length + 5), undefined);
  });

  it('skips a transaction that is in flight at the end', async () => {
    const last = file.places.at(-1)!;
    const [found, how] = await readAll(altered(file.bytes, (view) => view.setUint8(last.position + 16, 0x63)));
    assert.deepEqual([found.length, how], [file.places.length - 1, 'start']);
  });

  it('of a file with nothing behind its magic is at the start', async () => {
    assert.deepEqual(await readAll(dataFs([]).bytes), [[], 'start']);
  });

  it('reads a small file in one piece', async () => {
    const small = new MemoryFile(dataFs(plain(200)).bytes);
    let count = 0;
    for await (const _ of new BackwardReader(small).from(small.size)) count++;
    assert.equal(count, 200);
    assert.equal(small.reads.length, 1);
  });
});

describe('the chain of trailers is broken', () => {
  const { position, end, records } = file.places[5]!;
  const expected = file.places.length - 6;
  const breaks: Readonly<Record<string, (view: DataView) => void>> = {
    'by another length in the trailer': (view) => view.setUint8(end - 1, 99),
    'by another length in the header': (view) => view.setUint8(position + 15, 99),
    'by a record that names another transaction': (view) => view.setUint8(records[0]! + 31, 9),
    'by texts longer than the transaction': (view) => view.setUint16(position + 17, 60_000),
    'by a status that ZODB cannot read': (view) => view.setUint8(position + 16, 0xc3),
  };
  for (const [name, change] of Object.entries(breaks)) {
    it(name, async () => {
      const [found, how] = await readAll(altered(file.bytes, change));
      assert.deepEqual([found.length, how], [expected, 'broken']);
    });
  }

  it('by hostile lengths in the trailer', async () => {
    for (const value of HOSTILE) {
      const [found, how] = await readAll(altered(file.bytes, (view) => view.setBigUint64(end - 8, value)));
      assert.deepEqual([found.length, how], [expected, 'broken']);
    }
  });

  it('by bytes behind the last transaction', async () => {
    assert.deepEqual(await readAll(concat(file.bytes, new Uint8Array(9))), [[], 'broken']);
  });
});

describe('reading backward', () => {
  it('never throws and always ends, whatever the bytes', async () => {
    const small = dataFs(plain(6)).bytes;
    const random = new Random(6);
    for (let round = 0; round < 800; round++) {
      const bytes = altered(small, (view) => {
        for (let n = 0; n < 3; n++) view.setUint8(4 + random.below(view.byteLength - 4), random.below(256));
      });
      const [found] = await readAll(bytes, round % 2 === 0 ? bytes.length : random.below(bytes.length + 20));
      let boundary = Number.POSITIVE_INFINITY;
      for (const each of found) {
        assert.ok(each.end <= boundary && each.position < each.end && each.position >= 4);
        boundary = each.position;
      }
    }
  });
});
