import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { AdaptiveSource } from '../../src/pipeline/adaptive-source.js';
import { ReadDeadline } from '../../src/pipeline/read-deadline.js';
import { Window } from '../../src/pipeline/window.js';
import { WorkerPool } from '../../src/pipeline/worker-pool.js';
import { deliver } from '../support/chunks.js';
import { dataFs, plain } from '../support/data-fs.js';
import { withTempDir } from '../support/site.js';
import { openMaster } from '../support/sources.js';

const CHUNK = 500;
const { bytes } = dataFs(plain(100, 60));

function adaptive(workers: number): AdaptiveSource {
  return new AdaptiveSource(new Window(1 << 16), workers, new ReadDeadline(20), {
    chunkBytes: CHUNK,
    onProgress: () => {},
  });
}

describe('workers are started', () => {
  it('in advance for large copies, never for small ones, and never when there should be none', async (t) => {
    const start = t.mock.method(WorkerPool.prototype, 'start', () => {});
    await adaptive(2).expect(CHUNK);
    await adaptive(0).expect(1000 * CHUNK);
    assert.equal(start.mock.callCount(), 0);
    await adaptive(1).expect(1000 * CHUNK);
    assert.equal(start.mock.callCount(), 1);
  });

  it('once, with the same results as this thread, expected or not', async () => {
    await withTempDir(async (directory) => {
      const path = join(directory, 'Data.fs');
      writeFileSync(path, bytes);
      const master = await openMaster(path);
      const expected = await deliver(adaptive(0), master);
      for (const beforehand of [0, bytes.length]) {
        const source = adaptive(2);
        await source.expect(beforehand);
        assert.deepEqual(await deliver(source, master), expected);
        await source.close();
      }
      master.close();
    });
  });

  it('and ended again when they are not used', async () => {
    const source = adaptive(2);
    await source.expect(1000 * CHUNK);
    await source.close();
  });
});
