import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Problems } from '../../src/filestorage/problem.js';
import { IndexCheck } from '../../src/index/check.js';
import { ReadDeadline } from '../../src/pipeline/read-deadline.js';
import { Window } from '../../src/pipeline/window.js';
import { ExactJudge } from '../../src/verify/exact-judge.js';
import { InlineInspector } from '../../src/verify/inspect-file.js';
import type { Judge } from '../../src/verify/judge.js';
import { PiecePlan } from '../../src/verify/piece-plan.js';
import { QuickJudge, Unproved } from '../../src/verify/quick-judge.js';
import { Probe } from '../../src/verify/verify.js';
import { altered, type DataFs, type Draft, type DraftRecord, dataFs, filler } from '../support/data-fs.js';
import { fieldsOf } from '../support/fields.js';
import { MemoryFile } from '../support/memory-file.js';
import { Random } from '../support/random.js';
import { withTempDir } from '../support/site.js';
import { writeIndex } from '../support/verifying.js';

const deadline = new ReadDeadline(20);
const window = new Window(1 << 16);
const inspector = new InlineInspector(window, deadline, () => {});

/** The quick judge's result for a file in chunks of some 600 bytes; undefined: it cannot prove that everything is right. */
async function judged(bytes: Uint8Array, indexCheck: IndexCheck, judge: Judge) {
  const memory = new MemoryFile(bytes);
  const facts = { kind: 'file', device: '1', inode: '1' } as const;
  const { path, size } = memory;
  const file = { path, size, facts, read: memory.read, readBytes: memory.readBytes.bind(memory) };
  const problems = new Problems();
  const probe = new Probe(file, problems, judge);
  try {
    await judge.begin(probe.onProblem);
    const plan = new PiecePlan(file, window, 600, [], Number.POSITIVE_INFINITY, judge.requested, indexCheck.end);
    await inspector.run(file, plan, probe);
    await judge.finish('FS30', probe.onProblem);
  } catch (error) {
    if (!(error instanceof Unproved)) throw error;
    return undefined;
  } finally {
    await judge.settle();
  }
  const { transactions, recordCount: records } = probe;
  const { objects, indexState } = judge;
  return { transactions, records, objects, indexState, problems };
}

/** Whether the quick judge proves a file with this index right; if it does, the exact one must agree. */
async function proves(bytes: Uint8Array, index: string): Promise<boolean> {
  const indexCheck = await IndexCheck.open(index, deadline);
  assert.ok(indexCheck);
  try {
    const quick = QuickJudge.of(indexCheck, bytes.length);
    const found = quick && (await judged(bytes, indexCheck, quick));
    if (found) assert.deepEqual(found, await judged(bytes, indexCheck, new ExactJudge(indexCheck)));
    return found !== undefined;
  } finally {
    indexCheck.close();
  }
}

/** Calls `use` with the path of a correct index of the file's first `transactions` transactions. */
function withIndex(file: DataFs, transactions: number, use: (index: string) => Promise<void>): Promise<void> {
  return withTempDir(async (directory) => {
    const path = join(directory, 'Data.fs');
    writeIndex(path, file.bytes.slice(0, file.places[transactions - 1]!.end));
    await use(`${path}.index`);
  });
}

/** Forty transactions of up to four records of thirty objects, sometimes an object twice in one, and an undo. */
function history(seed: number): DataFs {
  const random = new Random(seed);
  const drafts: Draft[] = [];
  const newest = new Map<bigint, number>();
  for (let n = 0; n < 40; n++) {
    const records: DraftRecord[] = [];
    const oids = Array.from({ length: 1 + random.below(4) }, () => BigInt(random.below(30)) * 0x2000_1000n);
    for (const oid of new Set(oids)) {
      const prev = newest.get(oid) ?? 0;
      const undo = prev > 0 && random.below(4) === 0;
      records.push(undo ? { oid, prev, backPointer: prev } : { oid, prev, data: filler(10 + random.below(40), n) });
      if (prev > 0 && random.below(3) === 0) records.push({ oid, prev, data: 'once more' });
    }
    drafts.push({ records });
    const places = dataFs(drafts).places[n]!.records;
    for (const [at, { oid }] of records.entries()) newest.set(oid!, places[at]!);
  }
  return dataFs(drafts);
}

describe('the quick judge', () => {
  for (const covered of [40, 39, 25, 1])
    it(`proves intact files whose index covers ${covered} of 40 transactions`, async () => {
      for (let seed = 0; seed < 25; seed++) {
        const file = history(seed);
        await withIndex(file, covered, async (index) => assert.ok(await proves(file.bytes, index), `seed ${seed}`));
      }
    });

  for (const covered of [40, 25])
    it(`proves no file with a flipped bit that the exact one rejects, with ${covered} of 40 covered`, async () => {
      const file = history(77);
      await withIndex(file, covered, async (index) => {
        let unproved = 0;
        for (const { name, position, length } of fieldsOf(file.bytes)) {
          if (!/previous|oid/.test(name)) continue;
          for (const bit of [0, 3, 7]) {
            const flipped = altered(file.bytes, (view) => {
              view.setUint8(position + length - 1, view.getUint8(position + length - 1) ^ (1 << bit));
            });
            assert.equal(await proves(flipped, index), false, `${name}, bit ${bit}`);
            unproved++;
          }
        }
        assert.ok(unproved > 300);
      });
    });

  it('proves no index with a flipped bit', async () => {
    const file = history(5);
    await withIndex(file, 40, async (index) => {
      const right = new Uint8Array(readFileSync(index));
      for (let bit = 0; bit < right.length * 8; bit += 3) {
        writeFileSync(
          index,
          altered(right, (view) => view.setUint8(bit >> 3, view.getUint8(bit >> 3) ^ (1 << (bit & 7)))),
        );
        assert.equal(await proves(file.bytes, index), false, `bit ${bit}`);
      }
    });
  });

  it('proves nothing when a pack left an object twice, which the exact one accepts', async () => {
    const file = dataFs([
      { status: 'p', records: [{ oid: 1n }] },
      { status: 'p', records: [{ oid: 1n }] },
      { records: [{ oid: 2n }] },
    ]);
    await withIndex(file, 3, async (index) => {
      assert.equal(await proves(file.bytes, index), false);
      const indexCheck = await IndexCheck.open(index, deadline);
      const exact = await judged(file.bytes, indexCheck!, new ExactJudge(indexCheck));
      indexCheck!.close();
      assert.equal(exact?.problems.count, 0);
    });
  });

  it('is not used when the index leaves too much uncovered, or is missing', async () => {
    await withTempDir(async (directory) => {
      const path = join(directory, 'index');
      writeFileSync(path, 'nonsense');
      const rubbish = await IndexCheck.open(path, deadline);
      assert.equal(QuickJudge.of(rubbish, 1000), undefined);
      rubbish?.close();
    });
    assert.equal(QuickJudge.of(undefined, 1000), undefined);
    const file = history(1);
    await withIndex(file, 40, async (index) => {
      const indexCheck = await IndexCheck.open(index, deadline);
      assert.equal(QuickJudge.of(indexCheck, 2 ** 40), undefined);
      assert.equal(QuickJudge.of(indexCheck, file.bytes.length - 1), undefined);
      indexCheck?.close();
    });
  });
});
