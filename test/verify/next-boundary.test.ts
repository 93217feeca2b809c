import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nextBoundary } from '../../src/verify/next-boundary.js';
import { emptyTransactions, falseBeginnings } from '../hostile/large.js';
import { altered, concat, dataFs, plain } from '../support/data-fs.js';
import { MemoryFile } from '../support/memory-file.js';

const { bytes, places } = dataFs(plain(6));
const third = places[2]!;

function next(changed: Uint8Array, known?: number): Promise<number | undefined> {
  return nextBoundary(new MemoryFile(changed), third.position, changed.length, known);
}

describe('transactions continue after a damaged one', () => {
  it('at its end, when header and trailer agree on it', async () => {
    assert.equal(await next(bytes), third.end);
  });

  it('at the end in its header, when another one begins there', async () => {
    const trailer = altered(bytes, (view) => view.setUint8(third.end - 1, 0));
    assert.equal(await next(trailer), third.end);
  });

  it('at the next one that proves itself, when its length is wrong', async () => {
    const length = altered(bytes, (view) => view.setUint8(third.position + 15, 1));
    assert.equal(await next(length), third.end);
    const two = altered(length, (view) => view.setUint8(places[3]!.position + 15, 1));
    assert.equal(await next(two), places[4]!.position);
  });

  it('at the known position, when nothing before it proves itself', async () => {
    const wiped = altered(bytes, (_view, all) => all.fill(0, third.position, places[4]!.position + 30));
    assert.equal(await next(wiped), places[5]!.position);
    assert.equal(await next(wiped, places[4]!.end), places[4]!.end);
  });

  it('nowhere, where the rest is rubbish', async () => {
    assert.equal(await next(concat(bytes.slice(0, third.position), new Uint8Array(500))), undefined);
  });

  it('and the file is read only once, however many positions look like a start', async () => {
    const hostile = falseBeginnings(emptyTransactions(3), 50_000);
    const file = new MemoryFile(hostile);
    assert.equal(await nextBoundary(file, 4 + 3 * 31, hostile.length, undefined), undefined);
    const read = file.reads.reduce((sum, [, length]) => sum + length, 0);
    assert.ok(read < 2 * hostile.length, `${read} bytes of ${hostile.length} were read`);
  });
});
