import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ChunkSource, InlineSource } from '../../src/pipeline/chunk-source.js';
import { Master } from '../../src/pipeline/master.js';
import { PoolSource } from '../../src/pipeline/pool-source.js';
import { ReadDeadline } from '../../src/pipeline/read-deadline.js';
import { Window } from '../../src/pipeline/window.js';
import { type Delivered, deliver } from './chunks.js';
import { withTempDir } from './site.js';

/** How long a test waits for a hanging read. */
const SECONDS = 20;

export async function openMaster(path: string, deadline = new ReadDeadline(SECONDS)): Promise<Master> {
  const master = await Master.open(path, deadline);
  assert.ok(master);
  return master;
}

/** The inline source and pools of several sizes, which must all deliver the same. The pools' threads are reused. */
export class Sources {
  private readonly options = { chunkBytes: 0, onProgress: () => {} };
  readonly inline: ChunkSource;
  private readonly pools: readonly ChunkSource[];

  constructor(windowBytes: number, workers: readonly number[]) {
    this.inline = new InlineSource(new Window(windowBytes), this.options);
    this.pools = workers.map((count) => {
      return new PoolSource(new Window(windowBytes), count, new ReadDeadline(SECONDS), this.options);
    });
  }

  /** Copies a file of these bytes with every source, asserts that all results agree, and returns the result. */
  async agreed(bytes: Uint8Array, chunkBytes: number, before?: Delivered): Promise<Delivered> {
    this.options.chunkBytes = chunkBytes;
    return withTempDir(async (directory) => {
      const path = join(directory, 'Data.fs');
      writeFileSync(path, bytes);
      const master = await openMaster(path);
      try {
        const expected = await deliver(this.inline, master, before);
        for (const [n, pool] of this.pools.entries()) {
          assert.deepEqual(await deliver(pool, master, before), expected, `pool ${n}, chunks of ${chunkBytes}`);
        }
        return expected;
      } finally {
        master.close();
      }
    }) as Promise<Delivered>;
  }

  async close(): Promise<void> {
    await Promise.all(this.pools.map((pool) => pool.close()));
  }
}
