import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { encodeIndex } from '../../src/filestorage/index-writer.js';
import type { ObjectIndex } from '../../src/filestorage/object-index.js';
import { firstChanged, type MadeIndex, makeIndex } from '../../src/index/refresh.js';
import { type ChunkSource, InlineSource } from '../../src/pipeline/chunk-source.js';
import { PoolSource } from '../../src/pipeline/pool-source.js';
import { ReadDeadline } from '../../src/pipeline/read-deadline.js';
import { Window } from '../../src/pipeline/window.js';
import type { ChunkLine } from '../../src/standby/dat.js';
import { xxh64 } from '../support/chunks.js';
import { altered, type Draft, dataFs, filler } from '../support/data-fs.js';
import { entriesOf } from '../support/indexes.js';
import { Random } from '../support/random.js';
import { withTempDir } from '../support/site.js';
import { openMaster } from '../support/sources.js';

const options = { chunkBytes: 700, onProgress: () => {} };
const sources: readonly ChunkSource[] = [
  new InlineSource(new Window(1 << 16), options),
  ...[1, 2, 4].map((workers) => new PoolSource(new Window(1 << 16), workers, new ReadDeadline(20), options)),
];
after(() => Promise.all(sources.map((source) => source.close())));

/** Transactions of some objects each, rewritten repeatedly, with undone creations and undone transactions. */
function history(random: Random, transactions: number): Draft[] {
  return Array.from({ length: transactions }, (_, n) => ({
    status: random.below(20) === 0 ? 'u' : ' ',
    records: Array.from({ length: random.below(6) }, () => {
      const oid = BigInt(random.pick([random.below(40), random.below(40) * 65_536, 2 ** 47 + random.below(3)]));
      return random.below(10) === 0 ? { oid, backPointer: 0 } : { oid, data: filler(1 + random.below(200), n) };
    }),
  }));
}

/** The result of a scan of the drafts, computed independently. */
function expected(drafts: readonly Draft[], places: ReturnType<typeof dataFs>['places']): [bigint, number][] {
  const newest = new Map<bigint, number>();
  for (const [n, { status, records = [] }] of drafts.entries()) {
    if (status === 'u') continue;
    for (const [at, { oid }] of records.entries()) newest.set(oid!, places[n]!.records[at]!);
  }
  return [...newest].sort(([a], [b]) => (a < b ? -1 : 1));
}

function held(index: ObjectIndex): [bigint, number][] {
  return entriesOf(index).map(({ high, low, position }) => [(BigInt(high) << 32n) | BigInt(low), position]);
}

async function made(bytes: Uint8Array, source: ChunkSource, index?: Uint8Array): Promise<MadeIndex> {
  return (await withTempDir(async (directory) => {
    const path = join(directory, 'Data.fs');
    writeFileSync(path, bytes);
    if (index) writeFileSync(`${path}.index`, index);
    const file = await openMaster(path);
    try {
      const made = await makeIndex(`${path}.index`, file, source, []);
      assert.ok(made.action !== 'changed');
      return made;
    } finally {
      file.close();
    }
  })) as MadeIndex;
}

function encoded({ index, resume }: MadeIndex): Buffer {
  return Buffer.concat([...encodeIndex(index, resume.position)].map((piece) => piece.slice()));
}

describe('the index of a file', () => {
  const drafts = history(new Random(11), 300);
  const { bytes, places } = dataFs(drafts);

  it('matches its records, the same for 0, 1, 2 and 4 workers', async () => {
    for (const source of sources) {
      const { action, index, resume, stop } = await made(bytes, source);
      assert.equal(action, 'built');
      assert.equal(stop.kind, 'end');
      assert.equal(resume.position, bytes.length);
      assert.deepEqual(held(index), expected(drafts, places));
    }
  });

  it('leaves out an incomplete transaction, wherever it ends', async () => {
    const last = places.findLastIndex(({ records }) => records.length > 2);
    const { position, end } = places[last]!;
    for (const cut of [position + 30, position + 90, end - 1]) {
      for (const source of sources.slice(0, 3)) {
        const { index, resume } = await made(bytes.subarray(0, cut), source);
        assert.equal(resume.position, position);
        assert.deepEqual(held(index), expected(drafts.slice(0, last), places));
      }
    }
  });

  it('is refreshed from the end of the one beside the file, and only the rest is read', async () => {
    const whole = encoded(await made(bytes, sources[0]!));
    for (const transactions of [20, 150, 299]) {
      const { end } = places[transactions - 1]!;
      const older = encoded(await made(bytes.subarray(0, end), sources[0]!));
      const twice = new Set(drafts[transactions - 1]!.records!.map(({ oid }) => oid)).size;
      for (const source of sources.slice(0, 3)) {
        const again = await made(bytes, source, older);
        assert.deepEqual(encoded(again), whole);
        if (twice < drafts[transactions - 1]!.records!.length) continue;
        assert.equal(again.action, 'refreshed');
        assert.equal(again.read, bytes.length - end);
        assert.equal(again.problem, undefined);
      }
    }
    const { action, read } = await made(bytes, sources[0]!, whole);
    assert.deepEqual([action, read], ['none', 0]);
  });

  it('is rebuilt when the one beside the file belongs to another one, is garbage, or ends inside a transaction', async () => {
    const due = held((await made(bytes, sources[0]!)).index);
    const other = encoded(await made(dataFs(history(new Random(12), 100)).bytes, sources[0]!));
    const within = encoded({
      ...(await made(bytes, sources[0]!)),
      resume: { position: 1000, tid: 0n, chunks: [], tailState: '' },
    });
    for (const index of [other, Buffer.from('rubbish'), within.subarray(0, 40), Buffer.alloc(0)]) {
      const again = await made(bytes, sources[0]!, index);
      assert.equal(again.action, 'built');
      assert.notEqual(again.problem, undefined);
      assert.deepEqual(held(again.index), due);
    }
  });

  it('is rebuilt when a later record has another previous record than it has', async () => {
    const plain = Array.from({ length: 12 }, (_, n) => ({ oid: BigInt(n), data: filler(20, n) }));
    const first = dataFs([{ records: plain }, { records: [{ oid: 11n, data: 'again' }] }]);
    const previous = first.places[0]!.records[3]!;
    const whole = dataFs([
      { records: plain },
      { records: [{ oid: 11n, data: 'again' }] },
      { records: [{ oid: 3n, prev: previous, data: 'newer' }] },
    ]);
    const intact = encoded(await made(first.bytes, sources[0]!));
    assert.equal((await made(whole.bytes, sources[0]!, intact)).action, 'refreshed');
    // The position of object 3 is wrong, which FileStorage's own check of the last transaction does not notice.
    const at = Buffer.from(intact).lastIndexOf(Buffer.from(previous.toString(16).padStart(12, '0'), 'hex'));
    const wrong = altered(new Uint8Array(intact), (view) => view.setUint8(at + 5, previous + 1));
    const again = await made(whole.bytes, sources[0]!, wrong);
    assert.equal(again.action, 'built');
    assert.match(again.problem!, /another previous record/);
    assert.deepEqual(encoded(again), encoded(await made(whole.bytes, sources[0]!)));
  });

  describe('of copied chunks', () => {
    /** Chunks of another size than the sources', as with --chunk-size, up to somewhere in the middle of the file. */
    const copied: ChunkLine[] = [];
    for (let n = 0; n < 200; ) {
      const from = n;
      const start = places[n]!.position;
      while (n < 200 && places[n]!.end < start + 1900) n++;
      const end = places[n]!.end;
      const facts = { firstTid: places[from]!.tid, lastTid: places[n]!.tid, transactions: ++n - from, records: 0 };
      copied.push({ start, end, ...facts, hash: xxh64(bytes.subarray(start, end)) });
    }

    async function withCopied(file: Uint8Array, source: ChunkSource, index?: Uint8Array) {
      return withTempDir(async (directory) => {
        const path = join(directory, 'Data.fs');
        writeFileSync(path, file);
        if (index) writeFileSync(`${path}.index`, index);
        const opened = await openMaster(path);
        try {
          return await makeIndex(`${path}.index`, opened, source, copied);
        } finally {
          opened.close();
        }
      }) as Promise<Awaited<ReturnType<typeof makeIndex>>>;
    }

    it('is the same, wherever the index that it is refreshed from ends', async () => {
      const whole = encoded(await made(bytes, sources[0]!));
      for (const source of sources) {
        const built = await withCopied(bytes, source);
        assert.ok(built.action === 'built');
        assert.deepEqual(encoded(built), whole);
      }
      for (let n = 3; n < 300; n += 7) {
        const older = encoded(await made(bytes.subarray(0, places[n]!.end), sources[0]!));
        for (const source of sources.slice(0, 2)) {
          const again = await withCopied(bytes, source, older);
          assert.ok(again.action !== 'changed', `${n}`);
          assert.deepEqual(encoded(again), whole);
        }
      }
    });

    it('is not built when the bytes read have changed, and the error names the chunk, or the position that breaks a rule', async () => {
      const random = new Random(13);
      for (let round = 0; round < 150; round++) {
        const chunk = copied[random.below(copied.length)]!;
        const at = chunk.start + random.below(chunk.end - chunk.start);
        const wrong = altered(bytes, (view) => view.setUint8(at, view.getUint8(at) ^ (1 << random.below(8))));
        const covered = random.below(2) === 0 ? undefined : places.findLast(({ end }) => end <= at);
        const older = covered && encoded(await made(bytes.subarray(0, covered.end), sources[0]!));
        const found = await withCopied(wrong, sources[round % sources.length]!, older);
        assert.deepEqual(firstChanged(found, copied), chunk, `bit at ${at}, index up to ${covered?.end}`);
      }
    });

    it('is built without a check of the bytes behind them', async () => {
      const { end } = copied.at(-1)!;
      const at = places.find(({ position, records }) => position > end && records.length > 0)!.records[0]! + 7;
      const other = altered(bytes, (view) => view.setUint8(at, view.getUint8(at) ^ 1));
      assert.equal((await withCopied(other, sources[0]!)).action, 'built');
    });
  });
});
