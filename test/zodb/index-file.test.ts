import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { IndexReader } from '../../src/filestorage/index-reader.js';
import { encodeIndex } from '../../src/filestorage/index-writer.js';
import { type Entry, entriesOf, indexOf, randomEnd, randomEntries } from '../support/indexes.js';
import { Random } from '../support/random.js';
import { fixedSeed } from '../support/seed.js';
import { IndexJudge } from './index-judge.js';

/** Entries in the judge's format. */
function packed(entries: readonly Entry[]): string {
  const bytes = Buffer.alloc(entries.length * 16);
  for (const [n, { high, low, position }] of entries.entries()) {
    bytes.writeUInt32BE(high, n * 16);
    bytes.writeUInt32BE(low, n * 16 + 4);
    bytes.writeBigUInt64BE(BigInt(position), n * 16 + 8);
  }
  return bytes.toString('base64');
}

it('an index file equals the output of fsIndex.save, is loaded by fsIndex.load, and is read back', async (t) => {
  const seed = fixedSeed(20_261_128);
  t.diagnostic(`seed ${seed}`);
  const random = new Random(Number(seed) | 0);
  const judge = new IndexJudge();
  const directory = mkdtempSync(join(tmpdir(), 'syncpozo-index-'));
  try {
    const theirs = join(directory, 'theirs');
    const ours = join(directory, 'ours');
    for (let round = 0; round < 300; round++) {
      const end = randomEnd(random);
      // The first round is the empty index.
      const entries = round === 0 ? [] : randomEntries(random, end);
      const index = indexOf(entries, round % 2 === 0 ? undefined : 0);
      const bytes = Buffer.concat([...encodeIndex(index, end)].map((piece) => piece.slice()));
      await judge.save(theirs, end, packed(entries));
      const due = readFileSync(theirs);
      assert.ok(bytes.equals(due), `round ${round}: ${entries.length} entries up to ${end}`);
      writeFileSync(ours, bytes);
      assert.deepEqual(await judge.load(ours), { end, entries: packed(entriesOf(index)) });
      const reader = new IndexReader();
      reader.feed(due);
      reader.finish();
      assert.equal(reader.problem, undefined);
      assert.equal(reader.end, end);
      assert.deepEqual(entriesOf(reader.index), entriesOf(index));
    }
  } finally {
    rmSync(directory, { recursive: true });
    await judge.close();
  }
});
