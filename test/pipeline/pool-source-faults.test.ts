import assert from 'node:assert/strict';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Exchanged } from '../../src/pipeline/copy.js';
import { PoolSource } from '../../src/pipeline/pool-source.js';
import { Interrupted, ReadDeadline } from '../../src/pipeline/read-deadline.js';
import { Window } from '../../src/pipeline/window.js';
import { deliver } from '../support/chunks.js';
import { dataFs, plain } from '../support/data-fs.js';
import { withTempDir } from '../support/site.js';
import { openMaster, Sources } from '../support/sources.js';

const { bytes } = dataFs(plain(100, 60));

async function withPool(use: (pool: PoolSource, path: string, abort: AbortController) => Promise<void>): Promise<void> {
  const abort = new AbortController();
  const options = { chunkBytes: 500, onProgress: () => {} };
  const pool = new PoolSource(new Window(1 << 16), 2, new ReadDeadline(20, abort.signal), options);
  try {
    await withTempDir(async (directory) => {
      const path = join(directory, 'Data.fs');
      writeFileSync(path, bytes);
      await use(pool, path, abort);
    });
  } finally {
    await pool.close();
  }
}

describe('a pool of workers', () => {
  it('detects that the file was replaced since it was opened', async () => {
    await withPool(async (pool, path) => {
      const master = await openMaster(path);
      writeFileSync(`${path}.pack`, bytes);
      renameSync(`${path}.pack`, path);
      await assert.rejects(deliver(pool, master), Exchanged);
      master.close();
    });
  });

  it('fails when the file is missing, and works again after that', async () => {
    await withPool(async (pool, path) => {
      const master = await openMaster(path);
      rmSync(path);
      await assert.rejects(deliver(pool, master));
      master.close();
      writeFileSync(path, bytes);
      const again = await openMaster(path);
      assert.deepEqual((await deliver(pool, again)).bytes, bytes);
      again.close();
    });
  });

  it('works again after its receiver failed in the middle', async () => {
    await withPool(async (pool, path) => {
      const master = await openMaster(path);
      const full = { write: () => assert.fail('no space'), goBackTo: () => {}, reached: async () => {} };
      const nothing = { position: 4, tid: 0n, chunks: [], tailState: '' };
      await assert.rejects(
        pool.run(master, nothing, full, async () => {}),
        /no space/,
      );
      assert.deepEqual((await deliver(pool, master)).bytes, bytes);
      master.close();
    });
  });

  it('ends at once on a signal', async () => {
    await withPool(async (pool, path, abort) => {
      const master = await openMaster(path);
      abort.abort();
      await assert.rejects(deliver(pool, master), Interrupted);
      master.close();
    });
  });

  it('reads no further than the size at the opening of the file', async () => {
    await withPool(async (pool, path) => {
      const short = dataFs(plain(50, 60)).bytes;
      writeFileSync(path, short);
      const master = await openMaster(path);
      writeFileSync(path, bytes);
      assert.deepEqual((await deliver(pool, master)).bytes, short);
      master.close();
    });
  });
});

describe('windows smaller than a transaction', () => {
  it('give the same for all sources, although no position can be guessed', async () => {
    const sources = new Sources(50, [2]);
    try {
      assert.deepEqual((await sources.agreed(bytes, 500)).bytes, bytes);
    } finally {
      await sources.close();
    }
  });

  it('give the same for all sources, when some positions can be guessed', async () => {
    const sources = new Sources(200, [2]);
    try {
      assert.deepEqual((await sources.agreed(bytes, 500)).bytes, bytes);
    } finally {
      await sources.close();
    }
  });
});
