import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Parting } from '../../src/engine/facts.js';
import { findParting } from '../../src/engine/parting.js';
import { altered, type Draft, dataFs, filler, nthTid } from '../support/data-fs.js';
import { MemoryFile } from '../support/memory-file.js';

/** A transaction of one record; other text is other data under the same tid. */
function transaction(n: number, text = `text ${n}`, status = ' '): Draft {
  return { tid: nthTid(n), status, description: 'edit', records: [{ oid: BigInt(n), data: text }] };
}
const history = (...numbers: number[]): Draft[] => numbers.map((n) => transaction(n));

function ending(bytes: Uint8Array) {
  return { source: new MemoryFile(bytes), end: bytes.length };
}
function part(slave: readonly Draft[], master: readonly Draft[], limit?: number): Promise<Parting> {
  return findParting(ending(dataFs(slave).bytes), ending(dataFs(master).bytes), limit);
}

const NONE = { count: 0, first: undefined, last: undefined };
const side = (first: number, last: number, count: number) => ({ count, first: nthTid(first), last: nthTid(last) });

describe('what only one side has', () => {
  it('is nothing for two equal files', async () => {
    const expected = { onlyHere: NONE, onlyThere: NONE, doubtful: 0, common: nthTid(3), complete: true };
    assert.deepEqual(await part(history(1, 2, 3), history(1, 2, 3)), expected);
  });

  it('is what a master has in front', async () => {
    const { onlyHere, onlyThere, common } = await part(history(1, 2), history(1, 2, 3, 4));
    assert.deepEqual({ onlyHere, onlyThere, common }, { onlyHere: NONE, onlyThere: side(3, 4, 2), common: nthTid(2) });
  });

  it('is what a slave has in front', async () => {
    const { onlyHere, onlyThere } = await part(history(1, 2, 5, 6, 7), history(1, 2));
    assert.deepEqual({ onlyHere, onlyThere }, { onlyHere: side(5, 7, 3), onlyThere: NONE });
  });

  it('is counted on both sides where each went its own way, with tids that alternate', async () => {
    const { onlyHere, onlyThere, common, complete } = await part(history(1, 3, 5, 7), history(1, 2, 4, 6));
    assert.deepEqual([onlyHere, onlyThere], [side(3, 7, 3), side(2, 6, 3)]);
    assert.deepEqual([common, complete], [nthTid(1), true]);
  });

  it('is everything for two strangers', async () => {
    const { onlyHere, onlyThere, common, complete } = await part(history(1, 3), history(2));
    assert.deepEqual([onlyHere.count, onlyThere.count, common, complete], [2, 1, undefined, true]);
  });

  it('is everything of the other side for an empty file', async () => {
    const { onlyHere, onlyThere, complete } = await part([], history(1, 2));
    assert.deepEqual([onlyHere, onlyThere, complete], [NONE, side(1, 2, 2), true]);
  });

  it('is counted up to a limit, and said to be incomplete beyond', async () => {
    const many = history(...Array.from({ length: 50 }, (_, n) => n + 1));
    const { onlyHere, complete } = await part(many, history(1), 10);
    assert.deepEqual([onlyHere.count, complete], [10, false]);
  });

  it('is found on the slave however many newer transactions the master has', async () => {
    const many = Array.from({ length: 50 }, (_, n) => n + 10);
    const { onlyHere, common } = await part(history(1, 2, 3), history(1, 2, ...many), 10);
    assert.deepEqual([onlyHere, common], [side(3, 3, 1), nthTid(2)]);
  });

  it('is incomplete where the chain of trailers breaks on either side', async () => {
    const good = dataFs(history(1, 2, 3));
    const broken = altered(good.bytes, (view) => view.setUint8(good.places[1]!.end - 1, 9));
    const longer = dataFs(history(1, 2, 4)).bytes;
    for (const [slave, master] of [
      [broken, longer],
      [longer, broken],
    ] as const) {
      const { complete, common } = await findParting(ending(slave), ending(master));
      assert.deepEqual({ complete, common }, { complete: false, common: undefined });
    }
  });
});

describe('the same tid on both sides', () => {
  it('with the same transaction is common, also when a pack has moved it', async () => {
    const master = [transaction(2, 'text 2', 'p'), transaction(3)];
    assert.equal((await part(history(1, 2, 3), master)).common, nthTid(3));
    assert.equal((await part(history(1, 2), master)).common, nthTid(2));
  });

  it('with another transaction is doubtful, and one of its own on each side', async () => {
    const { onlyHere, onlyThere, doubtful, common } = await part(
      [...history(1), transaction(2, 'ours')],
      [...history(1), transaction(2, 'theirs')],
    );
    assert.deepEqual([onlyHere.count, onlyThere.count, doubtful, common], [1, 1, 1, nthTid(1)]);
  });

  it('and the same data under another description is another transaction', async () => {
    const other = { ...transaction(2), description: 'copy' };
    assert.equal((await part(history(1, 2), [...history(1), other])).doubtful, 1);
  });

  it('with a record less on the master is the same only if a pack took it', async () => {
    const records = [
      { oid: 1n, data: 'a' },
      { oid: 2n, data: filler(70_000) },
      { oid: 3n, data: 'c' },
    ];
    const whole = { tid: nthTid(2), records };
    for (const [status, common] of [
      [' ', 1],
      ['p', 2],
    ] as const) {
      for (const kept of [[0], [1], [2], [0, 2], [1, 2]]) {
        const less = { ...whole, status, records: kept.map((n) => records[n]!) };
        assert.equal((await part([...history(1), whole], [...history(1), less])).common, nthTid(common));
      }
    }
  });

  it('with a record more on the master is another transaction, packed or not', async () => {
    const more = {
      ...transaction(2),
      records: [
        { oid: 2n, data: 'text 2' },
        { oid: 9n, data: 'x' },
      ],
    };
    for (const status of [' ', 'p']) {
      assert.equal((await part(history(1, 2), [...history(1), { ...more, status }])).common, nthTid(1));
    }
  });

  it('a tid on the slave that its own records belie is doubtful', async () => {
    const slave = dataFs(history(1, 2));
    const rotten = altered(slave.bytes, (view) => view.setUint8(slave.places[1]!.position + 7, 1));
    const { doubtful, onlyHere, common } = await findParting(ending(rotten), ending(slave.bytes));
    assert.deepEqual([doubtful, onlyHere.count, common], [1, 1, nthTid(1)]);
  });
});
