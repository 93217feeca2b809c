import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MAGIC_LENGTH } from '../../src/filestorage/layout.js';
import type { IndexMaker } from '../../src/index/builder.js';
import { indexMaker } from '../../src/index/maker.js';
import { LONGEST_TAPE, RecordTape } from '../../src/pipeline/record-tape.js';
import { Random } from '../support/random.js';

const RECORD = 100;
const OBJECTS = 70_000;

/** Reports this many transactions to a maker, some of them incomplete; returns the end of the complete ones. */
function report(maker: IndexMaker, transactions: number, seed: number): number {
  const random = new Random(seed);
  const tape = new RecordTape(LONGEST_TAPE, (piece) => maker.take(piece));
  let end = MAGIC_LENGTH;
  for (let n = 0; n < transactions; n++) {
    const records = random.below(12);
    for (let record = 0; record < records; record++) {
      const position = end + record * RECORD;
      tape.events.onRecord?.(position, random.below(2), random.below(OBJECTS), 0, 1, 0);
    }
    const length = records * RECORD + 40;
    if (random.below(10) === 0) {
      tape.flush();
      maker.goBackTo(end);
      continue;
    }
    tape.events.onTransaction?.(end, length, 1n, 0x20);
    end += length + 8;
  }
  tape.flush();
  maker.allAdded();
  return end;
}

function bytesOf(pieces: Iterable<Uint8Array> | undefined): Buffer {
  assert.ok(pieces);
  const copies: Uint8Array[] = [];
  for (const piece of pieces) copies.push(piece.slice());
  return Buffer.concat(copies);
}

describe('an index that a thread builds', () => {
  it('equals one that is built here, for several seeds and sizes', async () => {
    for (const [seed, transactions] of [0, 1, 3000, 60_000].entries()) {
      const here = await indexMaker(false);
      const there = await indexMaker(true);
      const end = report(here, transactions, seed);
      assert.equal(report(there, transactions, seed), end);
      assert.ok(bytesOf(there.pieces(end)).equals(bytesOf(here.pieces(end))), `${transactions} transactions`);
      await there.close();
    }
  });

  it('is returned only for the end of the last complete transaction', async () => {
    for (const threaded of [false, true]) {
      const maker = await indexMaker(threaded);
      const end = report(maker, 100, 7);
      assert.equal(maker.pieces(end + 1), undefined);
      await maker.close();
    }
  });

  it('is not returned when a transaction of too many records is incomplete', async () => {
    for (const threaded of [false, true]) {
      const maker = await indexMaker(threaded);
      const tape = new RecordTape(LONGEST_TAPE, (piece) => maker.take(piece));
      for (let n = 0; n < 1_100_000; n++) tape.events.onRecord?.(4 + n, 0, n, 0, 1, 0);
      tape.flush();
      maker.goBackTo(MAGIC_LENGTH);
      maker.allAdded();
      assert.equal(maker.pieces(MAGIC_LENGTH), undefined);
      await maker.close();
    }
  });

  it('can be cancelled at any time', async () => {
    const unbegun = await indexMaker(true);
    await unbegun.close();
    const begun = await indexMaker(true);
    const tape = new RecordTape(LONGEST_TAPE, (piece) => begun.take(piece));
    for (let n = 0; n < 100_000; n++) tape.events.onRecord?.(4 + n, 0, n, 0, 1, 0);
    await begun.close();
    const made = await indexMaker(true);
    report(made, 60_000, 3);
    await made.close();
  });

  it('is lost with its thread, and the caller is not kept waiting', async () => {
    const maker = await indexMaker(true);
    const tape = new RecordTape(LONGEST_TAPE, (piece) => maker.take(piece));
    for (let n = 0; n < 1_000_000; n++) tape.events.onRecord?.(4 + n, 0, n, 0, 1, 0);
    tape.events.onTransaction?.(4, 1_000_000, 1n, 0x20);
    tape.flush();
    maker.allAdded();
    const pieces = maker.pieces(4 + 1_000_000 + 8)?.[Symbol.iterator]();
    assert.equal(pieces?.next().done, false);
    await maker.close();
    assert.throws(
      () => {
        for (let next = pieces?.next(); !next?.done; next = pieces?.next());
      },
      { name: 'IndexLost' },
    );
  });
});
