import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import { MAGIC_LENGTH } from '../../src/filestorage/layout.js';
import { Sources } from '../support/sources.js';
import { walkOver } from '../support/walking.js';
import { bytesOf, hostileFiles } from './damage.js';
import { hostileSeed, runs } from './settings.js';

const sources = new Sources(4096, [1, 2]);
after(() => sources.close());

describe(`generated files (seed ${hostileSeed}), copied`, () => {
  it('by worker threads and without them give the same chunks, hashes and stop: those of the walk', async () => {
    await fc.assert(
      fc.asyncProperty(hostileFiles(3, 14), fc.constantFrom(64, 200, 1000), async (file, chunkBytes) => {
        const bytes = bytesOf(file);
        const delivered = await sources.agreed(bytes, chunkBytes);
        const walk = walkOver(bytes);
        assert.equal(delivered.resume.position, walk.end);
        assert.deepEqual(delivered.stop, walk.stop);
        const body = (file: Uint8Array) => Buffer.from(file.slice(MAGIC_LENGTH, walk.end));
        assert.deepEqual(body(delivered.bytes), body(bytes));
      }),
      runs(150),
    );
  });
});
