import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MAGIC_LENGTH, STATUS_COMMITTED, STATUS_IN_FLIGHT } from '../../src/filestorage/layout.js';
import { Window } from '../../src/pipeline/window.js';
import { findCompleteEnd } from '../../src/takeover/complete-end.js';
import { SparseFile } from '../support/sparse-file.js';

const MIB = 1 << 20;
const window = new Window(1 << 20);

/** The end that a promotion finds in an unknown file; its bytes are zeros except for headers and trailers. */
async function endOf(
  sizes: readonly (readonly [number, number])[],
): Promise<{ position: number; read: number; file: SparseFile }> {
  const file = new SparseFile();
  for (const [length, status] of sizes) file.append(length, status);
  const found = await findCompleteEnd(file, undefined, window, false);
  assert.notEqual(found.rest, 'broken');
  return { position: found.position, read: file.bytesRead, file };
}

const done = (length: number) => [length, STATUS_COMMITTED] as const;
const begun = (length: number) => [length, STATUS_IN_FLIGHT] as const;

describe('the end of an unknown slave', () => {
  it('is before an unfinished batch, however large its last transaction is', async () => {
    const before = [done(5 * MIB), done(300)];
    const start = MAGIC_LENGTH + 5 * MIB + 300;
    for (const batch of [
      [begun(1000), done(600 * MIB)],
      [begun(600 * MIB)],
      [begun(MIB), ...Array.from({ length: 250 }, () => done(MIB)), done(20_000 * MIB)],
      [begun(250 * MIB), done(31 * MIB), done(600 * MIB)],
      // With --chunk-size 1GiB.
      [begun(200 * MIB), done(900 * MIB), done(600 * MIB), done(700 * MIB)],
    ]) {
      const found = await endOf([...before, ...batch]);
      assert.equal(found.position, start);
      assert.ok(found.read < 200 * MIB, `${found.read} bytes were read`);
    }
  });

  it('is its last transaction if there is no batch, found within a bounded part of it', async () => {
    const found = await endOf(Array.from({ length: 20_000 }, () => done(5 * MIB)));
    assert.equal(found.position, found.file.size);
    assert.ok(found.read <= 600 * MIB, `${found.read} bytes were read`);
  });
});
