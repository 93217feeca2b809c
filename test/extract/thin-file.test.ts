import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { exported, type Judged, judge } from './thin-histories.js';

const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8];

test('real ZODB reads a thin file: random histories with undo, blobs, deleted objects, odd statuses and tids', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'syncpozo-thin-'));
  try {
    const thin = await exported(directory, SEEDS);
    const found = judge(directory, SEEDS);
    for (const [index, { transactions, objects }] of found.entries()) {
      const { transactions: made, objects: counted } = thin[index]!;
      assert.equal(transactions ?? made, made, `seed ${SEEDS[index]}`);
      assert.equal(objects, counted, `seed ${SEEDS[index]}`);
      const left = readdirSync(join(directory, String(SEEDS[index]))).filter((name) => /^lost.*tmp/.test(name));
      assert.deepEqual(left, []);
    }
    // The histories have what they are made for.
    const sum = (field: keyof Judged): number => found.reduce((total, each) => total + (each[field] ?? 0), 0);
    for (const field of ['committed', 'older', 'blobs', 'uncreated', 'excepted'] as const)
      assert.ok(sum(field) > 0, field);
    noticesWrongBytes(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

/** Negative control: one byte in the data of the last record. */
function noticesWrongBytes(directory: string): void {
  const path = join(directory, '1', 'lost.fs');
  const bytes = readFileSync(path);
  const last = bytes.length - 9;
  bytes[last] = bytes[last]! ^ 1;
  writeFileSync(path, bytes);
  assert.throws(() => judge(directory, [1]), /AssertionError/);
}
