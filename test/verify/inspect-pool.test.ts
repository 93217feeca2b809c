import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { ReadDeadline } from '../../src/pipeline/read-deadline.js';
import { Window } from '../../src/pipeline/window.js';
import type { DatFile } from '../../src/standby/dat-file.js';
import { InlineInspector, type Inspector } from '../../src/verify/inspect-file.js';
import { PoolInspector } from '../../src/verify/inspect-pool.js';
import { inspectAll } from '../../src/verify/verify.js';
import { altered, concat, type DataFs, type Draft, dataFs, filler, plain } from '../support/data-fs.js';
import { assertHolds } from '../support/holds.js';
import { Random } from '../support/random.js';
import { withTempDir } from '../support/site.js';
import { openMaster } from '../support/sources.js';
import { datOf } from '../support/verifying.js';

const WINDOW = 1 << 16;
const deadline = new ReadDeadline(20);
const inspectors: readonly Inspector[] = [
  new InlineInspector(new Window(WINDOW), deadline, () => {}),
  new InlineInspector(new Window(WINDOW), deadline, () => {}, true),
  new PoolInspector(1, new Window(WINDOW), deadline, () => {}),
  new PoolInspector(3, new Window(WINDOW), deadline, () => {}),
  new PoolInspector(2, new Window(WINDOW), deadline, () => {}, true),
];

/** The findings of every kind of inspector, in chunks of several sizes; all must agree. */
async function agreed(bytes: Uint8Array, dat?: DatFile): Promise<object> {
  return withTempDir(async (directory) => {
    const path = join(directory, 'Data.fs');
    writeFileSync(path, bytes);
    const found: object[] = [];
    for (const pieceBytes of [300, 1000, 1 << 20]) {
      for (const inspector of inspectors) {
        const file = await openMaster(path);
        const inode = file.facts.inode;
        const datFile = dat && 'dat' in dat ? { dat: { ...dat.dat, slaveInode: inode } } : ({ missing: true } as const);
        const options = { inspector, window: new Window(WINDOW), pieceBytes, indexCheck: undefined, pointers: true };
        found.push(await inspectAll(file, datFile, options));
        file.close();
      }
    }
    for (const one of found) assert.deepEqual(one, found[0]);
    return found[0]!;
  }) as Promise<object>;
}

describe('workers and this thread find the same', () => {
  after(() => Promise.all(inspectors.map((inspector) => inspector.close())));

  it('in an intact file', async () => {
    const { bytes } = dataFs(rewritten(60));
    const found = await agreed(bytes, { dat: await datOf('', bytes) });
    assertHolds(found, { transactions: 60, records: 60, objects: 3, tail: 'none' });
  });

  it("in a file with a Data.fs in a record's data, which looks like transactions", async () => {
    const found = await agreed(withEmbedded().bytes);
    assertHolds(found, { transactions: 9, problems: { count: 0 } });
  });

  it('in files with bytes changed at random, with and without a .dat', async () => {
    const random = new Random(7);
    const { bytes } = dataFs(rewritten(40));
    const dat = { dat: await datOf('', bytes) };
    for (let round = 0; round < 15; round++) {
      const changed = altered(bytes, (view) => {
        for (let n = 0; n <= round % 3; n++) view.setUint8(4 + random.below(bytes.length - 4), random.below(256));
      });
      await agreed(changed);
      await agreed(changed, dat);
    }
  });

  it('in a file with a missing chunk, and one that ends in the middle', async () => {
    const { bytes, places } = dataFs(rewritten(30));
    await agreed(concat(bytes.slice(0, places[9]!.position + 30), bytes.slice(places[12]!.position + 10)));
    assertHolds(await agreed(bytes.slice(0, -5)), { transactions: 29, tail: 'torn' });
  });
});

/** This many transactions of one record each, of three objects in turn. */
function rewritten(count: number): Draft[] {
  const drafts = plain(count, 60).map((draft, n) => ({ records: [{ ...draft.records![0]!, oid: BigInt(n % 3) }] }));
  const { places } = dataFs(drafts);
  return drafts.map(({ records: [record] }, n) => ({
    records: [{ ...record!, prev: n < 3 ? 0 : places[n - 3]!.records[0]! }],
  }));
}

/** The third of nine transactions holds a Data.fs whose positions are right for its place. */
function withEmbedded(): DataFs {
  const before = plain(2, 500);
  const at = dataFs(before).bytes.length + 23 + 42;
  const data = concat(dataFs(plain(20, 40), at).bytes, filler(700));
  const drafts = [...before, { records: [{ data }] }, ...plain(6, 200)];
  return dataFs(drafts.map((draft, n) => ({ records: [{ ...draft.records![0]!, oid: BigInt(n) }] })));
}
