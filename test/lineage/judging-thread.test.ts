import assert from 'node:assert/strict';
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { compareFiles, type Judging, type Pair } from '../../src/lineage/file-pair.js';
import { beginJudging } from '../../src/lineage/judging.js';
import type { Draft } from '../support/data-fs.js';
import { dataFs } from '../support/data-fs.js';
import { packed, write } from '../support/histories.js';
import { withTempDir } from '../support/site.js';

const COUNT = 200;
const slaveDrafts = Array.from({ length: COUNT }, (_, n) => write(n + 1, [n, n % 7]));
const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => from + n);
const packedDrafts = [...numbers(1, COUNT + 1).map((n) => packed(n, [n - 1])), write(COUNT + 9, [1])];
const forkedDrafts = [...slaveDrafts.slice(0, 5), ...numbers(300, 600).map((n) => write(n, [n]))];

/** Writes the copy of the master piece by piece, up to transaction boundaries, while the thread runs. */
async function withThread<T>(
  master: readonly Draft[],
  use: (judging: Judging, writeOn: (count: number) => number, pair: Pair) => Promise<T>,
): Promise<T> {
  return withTempDir(async (directory) => {
    const [fresh, slave] = [dataFs(master), dataFs(slaveDrafts)];
    const [freshPath, slavePath] = [join(directory, 'Data.fs.new'), join(directory, 'Data.fs')];
    writeFileSync(slavePath, slave.bytes);
    writeFileSync(freshPath, fresh.bytes.subarray(0, 4));
    const options = { ownFrom: Number.MAX_SAFE_INTEGER, pieces: [], stopEarly: true };
    const pair = { freshPath, slavePath, slaveEnd: slave.bytes.length, options };
    let [written, transactions] = [4, 0];
    const judging = await beginJudging(pair, true);
    const writeOn = (count: number): number => {
      transactions = Math.min(fresh.places.length, transactions + count);
      const end = fresh.places[transactions - 1]!.end;
      appendFileSync(freshPath, fresh.bytes.subarray(written, end));
      written = end;
      judging.reached(end);
      return end;
    };
    try {
      return await use(judging, writeOn, pair);
    } finally {
      await judging.close();
    }
  });
}
const pause = () => new Promise((resolve) => setTimeout(resolve, 2));

describe('the thread that compares during the copy', () => {
  for (const [what, master] of [
    ['packed', packedDrafts],
    ['equal', slaveDrafts],
  ] as const) {
    it(`finds the same as this thread does in the complete file, ${what}`, () =>
      withThread(master, async (judging, writeOn, pair) => {
        let end = 4;
        for (let n = 0; n < master.length; n += 9) {
          end = writeOn(9);
          await pause();
        }
        assert.deepEqual(await judging.finish(end), await compareFiles(pair, end));
      }));
  }

  it('reports a certain fork before the copy is complete', () =>
    withThread(forkedDrafts, async (judging, writeOn) => {
      const end = writeOn(20);
      for (let n = 0; n < 2000 && !judging.isCertain; n++) await pause();
      assert.equal(judging.isCertain, true);
      const findings = await judging.finish(end);
      assert.ok(findings.early && findings.lacking > 0);
    }));

  it('can be cancelled while it waits', () =>
    withThread(packedDrafts, async (judging, writeOn) => {
      writeOn(3);
      await judging.close();
    }));
});
