import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { rotIn, verdictOf } from '../../src/lineage/verdict.js';
import { altered, concat, dataFs, nthTid, type Place } from '../support/data-fs.js';
import { bytesOf, EVIDENCE, judged, mergeOf, packed, write } from '../support/histories.js';

const BASE = [write(1, [0]), write(2, [1, 2]), write(3, [1]), write(4, [3])];

describe('the lineage of two files', () => {
  it('is equal, behind or ahead when one starts with the other', async () => {
    for (const [slave, master, lineage] of [
      [BASE, BASE, 'equal'],
      [BASE.slice(0, 2), BASE, 'behind'],
      [BASE, BASE.slice(0, 2), 'ahead'],
    ] as const) {
      const verdict = await judged(slave, master);
      assert.deepEqual([verdict.lineage, verdict.proven], [lineage, lineage !== 'ahead']);
    }
  });

  it('is unrelated when they share no transaction', async () => {
    const evidence = { packedFileKnown: false };
    assert.equal((await judged(BASE, [write(7, [0]), write(8, [1])], evidence)).lineage, 'unrelated');
  });

  it('is packed and proven when a pack dropped what was written again', async () => {
    const verdict = await judged(BASE, [packed(1, [0]), packed(2, [2]), packed(3, [1]), packed(4, [3]), write(5, [1])]);
    assert.deepEqual([verdict.lineage, verdict.proven, verdict.findings.newer], ['packed', true, 1]);
  });

  it('is packed and not proven without the packed file, or after reported damage', async () => {
    const master = [packed(1, [0]), packed(2, [2]), packed(3, [1]), packed(5, [3])];
    for (const evidence of [{ packedFileKnown: false }, { damageReported: true }]) {
      const { lineage, proven, reason } = await judged(BASE, master, evidence);
      assert.deepEqual([lineage, proven], ['packed', false]);
      assert.notEqual(reason, '');
    }
  });

  it('is packed and not proven when something still refers to a missing object', async () => {
    const [slave, master] = [[write(1, [0]), write(2, [1])], [packed(1, [0])]];
    assert.equal((await judged(slave, master)).proven, true);
    assert.deepEqual((await judged(slave, master, { refersToGone: true })).proven, false);
  });

  it('is packed and not proven when the packed part has a transaction without records', async () => {
    const slave = [write(1, [0]), write(2, [1]), write(3, [2])];
    const repaired = [packed(1, [0]), { ...packed(2, []), records: [] }, packed(3, [2])];
    const { lineage, proven } = await judged(slave, repaired);
    assert.deepEqual([lineage, proven], ['packed', false]);
    assert.equal((await judged(slave, [packed(1, [0]), packed(3, [2])])).proven, true);
  });

  it('is packed when garbage is gone', async () => {
    const { lineage, findings } = await judged(BASE, [packed(1, [0]), packed(2, [2]), packed(3, [1])]);
    assert.deepEqual([lineage, findings.gone], ['packed', 1]);
  });
});

describe('each rule alone shows a fork', () => {
  it('a master transaction before the pack that the slave never had, and one that the master lacks', async () => {
    const slave = [write(1, [0]), write(3, [1]), write(5, [2])];
    const master = [packed(1, [0]), packed(2, [1]), packed(5, [2])];
    assert.equal((await judged(slave, master)).lineage, 'forked');
  });

  it('a slave transaction after the pack that the master lacks', async () => {
    const verdict = await judged(BASE, [packed(1, [0]), packed(2, [1, 2]), write(3, [1]), write(5, [1])]);
    assert.deepEqual([verdict.lineage, verdict.findings.lacking], ['forked', 1]);
  });

  it('an object of which only an older revision is left', async () => {
    const verdict = await judged(BASE, [packed(1, [0]), packed(2, [1, 2]), packed(4, [3])]);
    assert.deepEqual([verdict.lineage, verdict.findings.older], ['forked', 1]);
    assert.equal(verdict.findings.oldest, dataFs(BASE).places[2]!.position);
  });

  it('a fork in which a later pack of the master wrote all the same objects again', async () => {
    const slave = [...BASE, write(6, [1, 2, 3])];
    const master = [packed(1, [0]), packed(5, [1, 2]), packed(7, [3])];
    assert.notDeepEqual([(await judged(slave, master)).proven], [true]);
    assert.equal((await judged(slave, master)).lineage, 'forked');
  });

  it('a record in the middle that fsrecover dropped, without a pack', async () => {
    const verdict = await judged(BASE, [BASE[0]!, BASE[1]!, BASE[3]!]);
    assert.equal(verdict.lineage, 'forked');
  });

  it('one tid with different objects on the two sides', async () => {
    const verdict = await judged([...BASE, write(5, [7])], [...BASE, write(5, [8])], { blame: 'unknown' });
    assert.equal(verdict.lineage, 'forked');
  });
});

describe('different bytes in the same transaction', () => {
  const good = dataFs(BASE);
  const rotten = altered(good.bytes, (view) => view.setUint8(good.places[2]!.records[0]! + 45, 1));

  it("are rot of the master, or unproven if the slave's bytes are wrong", async () => {
    const first = await judged(BASE, rotten, { blame: 'master' });
    assert.deepEqual([first.lineage, first.mismatch?.tid], ['rotten', nthTid(3)]);
    const second = await judged(rotten, BASE, { blame: 'slave' });
    assert.deepEqual([second.lineage, second.proven], ['packed', false]);
  });

  it('are rot in a fork too if texts and objects are the same, and otherwise the fork itself', async () => {
    const fork = dataFs([write(6, [8])]).bytes.subarray(4);
    const forked = (blame: 'unknown' | 'slave') => judged(concat(good.bytes, fork), rotten, { blame });
    assert.equal((await forked('unknown')).lineage, 'forked');
    assert.equal(rotIn(await forked('unknown'))?.tid, nthTid(3));
    assert.equal(rotIn(await forked('slave')), undefined);
    const sameTid = await judged([...BASE, write(5, [7])], [...BASE, write(5, [8])], { blame: 'unknown' });
    assert.equal(rotIn(sameTid), undefined);
  });

  it('outside the data are rot as well', async () => {
    assert.equal((await judged(BASE, BASE, { bytesDiffer: true })).lineage, 'rotten');
  });

  it('are detected for every bit of a transaction on either side: never proven, never equal', async () => {
    const { position, end } = good.places[1]!;
    for (let at = position; at < end - 8; at++) {
      for (const bit of [0, 3, 7]) {
        const other = altered(good.bytes, (view) => view.setUint8(at, view.getUint8(at) ^ (1 << bit)));
        for (const [slave, master] of [
          [good.bytes, other],
          [other, good.bytes],
        ] as const) {
          const verdict = await judged(slave, master, { bytesDiffer: true, blame: 'unknown' });
          const slaveBroken = verdict.findings.slaveStop?.kind === 'broken';
          assert.ok(!verdict.proven || slaveBroken, `bit ${bit} at ${at - position}: ${verdict.lineage}`);
        }
      }
    }
  });

  it('in most transactions are a rewritten file', async () => {
    const many = Array.from({ length: 20 }, (_, n) => write(n, [n]));
    const other = many.map((draft) => ({ ...draft, records: [{ ...draft.records![0]!, data: 'recompressed' }] }));
    assert.equal((await judged(many, other, { blame: 'unknown' })).lineage, 'rewritten');
  });
});

describe('packed transactions are the same', () => {
  const slave = dataFs([write(1, [0]), write(2, [1]), write(3, [1])]);
  const undo = {
    tid: nthTid(4),
    records: [{ oid: 1n, prev: slave.places[2]!.records[0]!, backPointer: slave.places[1]!.records[0]! }],
  };
  const before = [write(1, [0]), write(2, [1]), write(3, [1]), undo];

  it('when a back pointer became data', async () => {
    const resolved = { tid: nthTid(4), status: 'p', records: [{ oid: 1n, data: '<2 writes 1>' }] };
    const { lineage, proven } = await judged(before, [packed(1, [0]), resolved]);
    assert.deepEqual([lineage, proven], ['packed', true]);
  });

  it('unless it became other data', async () => {
    const wrong = { tid: nthTid(4), status: 'p', records: [{ oid: 1n, data: '<3 writes 1>' }] };
    const verdict = await judged(before, [packed(1, [0]), wrong], { blame: 'unknown' });
    assert.equal(verdict.proven, false);
    assert.equal(verdict.lineage, 'rotten');
  });

  it('when one of several records of an object is kept', async () => {
    const twice = (data: readonly string[], status: string) => {
      return { tid: nthTid(2), status, records: data.map((each) => ({ oid: 1n, data: each })) };
    };
    const verdict = await judged([write(1, [0]), twice(['a', 'b'], ' ')], [packed(1, [0]), twice(['b'], 'p')]);
    assert.deepEqual([verdict.lineage, verdict.proven], ['packed', true]);
  });

  it('when transactions without records are gone', async () => {
    const empty = { tid: nthTid(2), records: [] };
    const { lineage, proven } = await judged([write(1, [0]), empty, write(3, [1])], [packed(1, [0]), packed(3, [1])]);
    assert.deepEqual([lineage, proven], ['packed', true]);
  });
});

describe('a file that breaks rules', () => {
  it('is damaged as the master, and unreadable in that chunk as the slave', async () => {
    const good = dataFs(BASE);
    const broken = altered(good.bytes, (view) => view.setUint8(good.places[1]!.records[0]! + 31, 1));
    assert.equal((await judged(BASE, broken)).lineage, 'damaged');
    const [{ position: start }, { end }] = [good.places[1]!, good.places[2]!];
    const piece = { start, end, firstTid: nthTid(2), lastTid: nthTid(3) };
    const found = await mergeOf(broken, BASE, { pieces: [piece] });
    assert.deepEqual(found.unread, [piece]);
    assert.equal(found.slaveLast, nthTid(4));
  });

  it('hides as the slave no rot elsewhere, also when a pack included the damaged transaction', async () => {
    const before = dataFs([packed(1, [0]), packed(2, [1, 2]), packed(3, [3])]);
    const [, { position: start, end, records: places }, { records: later }] = before.places as [Place, Place, Place];
    const slave = altered(before.bytes, (view) => view.setUint8(places[1]! + 31, 1));
    const master = altered(before.bytes, (view) => view.setUint8(later[0]! + 45, 1));
    const pieces = [{ start, end, firstTid: nthTid(2), lastTid: nthTid(2) }];
    const found = await mergeOf(slave, master, { pieces });
    assert.deepEqual(found.unread, pieces);
    assert.deepEqual([found.shapeCount, found.differenceCount, found.differingTransactions], [0, 1, 1]);
    assert.equal(verdictOf(found, { ...EVIDENCE, blame: 'unknown' }).lineage, 'rotten');
  });

  it('causes no error and no endless loop, whatever single byte is hostile', async () => {
    const good = bytesOf(BASE);
    for (let at = 4; at < good.length; at++) {
      for (const value of [0, 0x7f, 0xff]) {
        const other = altered(good, (view) => view.setUint8(at, value));
        await judged(good, other);
        await judged(other, good);
      }
    }
  });

  it('is compared with a transaction of 300,000 records', async () => {
    const records = Array.from({ length: 300_000 }, (_, n) => ({ oid: BigInt(n), data: 'x' }));
    const { bytes } = dataFs([{ records }]);
    assert.equal((await judged(bytes, bytes)).lineage, 'equal');
  });

  it('is compared with a record of three buffers', async () => {
    const data = new Uint8Array(3 << 20).fill(7);
    const { bytes, places } = dataFs([{ records: [{ data }] }]);
    assert.equal((await judged(bytes, bytes)).lineage, 'equal');
    const last = altered(bytes, (view) => view.setUint8(places[0]!.end - 9, 8));
    assert.equal((await mergeOf(bytes, last)).differenceCount, 1);
  });
});
