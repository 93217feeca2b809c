import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { altered, concat, type Draft, dataFs, filler, plain } from '../support/data-fs.js';
import { Random } from '../support/random.js';
import { Sources } from '../support/sources.js';

/** Offset of the first data byte in a transaction without texts. */
const DATA_OFFSET = 23 + 42;
const CHUNK_SIZES = [100, 500, 1000, 4096];

const sources = new Sources(1 << 16, [1, 2, 3]);
after(() => sources.close());

/** Asserts that inline reading and all pools deliver the same, for several chunk sizes; returns the result. */
async function assertAgreed(bytes: Uint8Array) {
  const results = [];
  for (const chunkBytes of CHUNK_SIZES) results.push(await sources.agreed(bytes, chunkBytes));
  return results[0]!;
}

/** A transaction that holds a Data.fs whose positions are right for its place. */
function embedding(before: readonly Draft[], inner: readonly Draft[], behind = 0): Draft {
  const position = dataFs(before).bytes.length;
  return { records: [{ data: concat(dataFs(inner, position + DATA_OFFSET).bytes, filler(behind)) }] };
}

describe('the same bytes, chunks and outcome for 0, 1, 2 and 3 workers', () => {
  it('of a plain file', async () => {
    const { bytes } = dataFs(plain(200, 60));
    const result = await assertAgreed(bytes);
    assert.deepEqual(result.bytes, bytes);
    assert.equal(result.stop.kind, 'end');
    assert.ok(result.resume.chunks.length > 50);
  });

  it('of transactions of all sizes, with several records and texts', async () => {
    const random = new Random(7);
    const drafts = Array.from({ length: 150 }, (_, n) => ({
      user: 'u'.repeat(random.below(40)),
      records: Array.from({ length: random.below(4) }, () => ({ data: filler(1 + random.below(300), n) })),
    }));
    const { bytes } = dataFs(drafts);
    assert.deepEqual((await assertAgreed(bytes)).bytes, bytes);
  });

  it('of a file with a Data.fs inside a record', async () => {
    const before = plain(5);
    const drafts = [...before, embedding(before, plain(40)), ...plain(5)];
    const { bytes } = dataFs(drafts);
    assert.deepEqual((await assertAgreed(bytes)).bytes, bytes);
  });

  it('of a file with several of them, the last one at its end', async () => {
    const drafts: Draft[] = [];
    for (let n = 0; n < 4; n++) {
      drafts.push(...plain(3));
      drafts.push(embedding(drafts, plain(10 + 10 * n), 7 * n));
    }
    const { bytes } = dataFs(drafts);
    assert.deepEqual((await assertAgreed(bytes)).bytes, bytes);
  });

  it('of a Data.fs inside a Data.fs whose inner file is damaged, or in flight', async () => {
    const before = plain(5);
    const inner = [...plain(10), { status: 'c', records: [{ data: 'x' }] }, ...plain(20)];
    const { bytes, places } = dataFs([...before, embedding(before, inner), ...plain(5)]);
    assert.equal((await assertAgreed(bytes)).stop.kind, 'end');
    const damaged = altered(bytes, (view) => view.setUint8(places[5]!.position + DATA_OFFSET + 700, 0xff));
    assert.equal((await assertAgreed(damaged)).stop.kind, 'end');
  });

  it('of records larger than a chunk, and than all slots of a lane', async () => {
    const { bytes } = dataFs([...plain(3), { records: [{ data: filler(20_000) }] }, ...plain(3)]);
    await assertAgreed(bytes);
    const large = dataFs([...plain(3), { records: [{ data: new Uint8Array(1_500_000).fill(65) }] }, ...plain(3)]);
    assert.equal((await sources.agreed(large.bytes, 70_000)).bytes.length, large.bytes.length);
  });

  it('of many empty transactions, at which no chunk can be guessed', async () => {
    const { bytes } = dataFs(Array.from({ length: 150 }, () => ({})));
    assert.equal((await assertAgreed(bytes)).resume.position, bytes.length);
    const mixed = dataFs(Array.from({ length: 90 }, (_, n) => (n % 3 === 0 ? plain(1)[0]! : {})));
    assert.equal((await assertAgreed(mixed.bytes)).resume.position, mixed.bytes.length);
  });

  it('of transactions that end exactly at multiples of the chunk size', async () => {
    const first = { records: [{ data: filler(500 - 4 - 31 - 42) }] };
    const { bytes, places } = dataFs([first, ...plain(12, 500 - 31 - 42)]);
    assert.ok(places.every(({ end }) => end % 500 === 0));
    for (const chunkBytes of [250, 500, 1000]) {
      const { resume } = await sources.agreed(bytes, chunkBytes);
      assert.ok(resume.chunks.every(({ end }) => end % chunkBytes === 0 || end === bytes.length));
    }
  });

  it('of a file without transactions', async () => {
    const result = await assertAgreed(dataFs([]).bytes);
    assert.deepEqual([result.stop.kind, result.resume.position], ['end', 4]);
  });
});

describe('the same stop, and the same bytes before it, for 0, 1, 2 and 3 workers', () => {
  const file = dataFs([...plain(30, 60), { records: [{ data: filler(3000) }] }, ...plain(30, 60)]);

  it('at a transaction in flight at the end', async () => {
    const last = file.places.at(-1)!;
    const result = await assertAgreed(altered(file.bytes, (view) => view.setUint8(last.position + 16, 0x63)));
    assert.deepEqual([result.stop.kind, result.bytes.length], ['in-flight', last.position]);
  });

  it('at a torn tail of any length', async () => {
    for (const cut of [1, 8, 50, 120, 3000, 4500]) {
      const result = await sources.agreed(file.bytes.slice(0, -cut), 500);
      assert.equal(result.bytes.length, result.resume.position);
      assert.ok(result.stop.kind === 'torn' || result.stop.kind === 'end');
    }
  });

  it('at damage in the middle, although everything after it is good', async () => {
    for (const n of [0, 1, 15, 30, 31, 59]) {
      const { position, records } = file.places[n]!;
      const damaged = altered(file.bytes, (view) =>
        view.setUint8(records[0]! + 31, view.getUint8(records[0]! + 31) ^ 1),
      );
      const result = await assertAgreed(damaged);
      assert.deepEqual([result.stop.kind, result.stop.position], ['damaged', position]);
      assert.equal(result.resume.position, position);
    }
  });

  it('at zeros in the middle', async () => {
    const { position } = file.places[20]!;
    const result = await assertAgreed(altered(file.bytes, (_view, bytes) => bytes.fill(0, position, position + 900)));
    assert.deepEqual(result.stop, { kind: 'torn', position });
  });

  it('of fifty files with random damage', async () => {
    const random = new Random(8);
    for (let round = 0; round < 50; round++) {
      const bytes = altered(file.bytes, (view) => {
        view.setUint8(4 + random.below(view.byteLength - 4), random.below(256));
        view.setUint8(4 + random.below(view.byteLength - 4), random.below(256));
      });
      await sources.agreed(bytes, random.pick(CHUNK_SIZES));
    }
  });
});

describe('a continued run', () => {
  it('from any boundary, also inside a chunk, ends with the same chunks for all', async () => {
    const { bytes, places } = dataFs(plain(40, 60));
    const whole = await sources.agreed(bytes, 500);
    for (const n of [0, 3, 4, 5, 20, 38]) {
      const before = await sources.agreed(bytes.slice(0, places[n]!.end), 500);
      assert.deepEqual((await sources.agreed(bytes, 500, before)).resume, whole.resume);
    }
  });
});

describe('warnings are the same for 0, 1, 2 and 3 workers', () => {
  it('of tids that decrease at seams and elsewhere', async () => {
    const drafts = plain(60).map((draft, n) => ({ ...draft, tid: BigInt(1000 - 7 * n) }));
    await assertAgreed(dataFs(drafts).bytes);
  });

  it('of transactions with two reasons for a warning, at seams and elsewhere', async () => {
    const records = [{ data: filler(30) }, { data: filler(40) }];
    const { bytes, places } = dataFs(plain(60).map((_, n) => ({ tid: BigInt(1000 - 7 * n), records })));
    const stray = altered(bytes, (view) => {
      // The second record's, so that a chunk can be guessed at the first one.
      for (const place of places) view.setBigUint64(place.records[1]! + 8, 1n);
    });
    await assertAgreed(stray);
  });
});
