import { after, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { WorkerPool } from '../../src/pipeline/worker-pool.js';
import { concat, type Draft, dataFs, filler, plain } from '../support/data-fs.js';
import { Random } from '../support/random.js';
import { Sources } from '../support/sources.js';

const ROUNDS = 25;
const LONGEST_DELAY_MS = 12;
const CHUNK = 1000;
const DATA_OFFSET = 23 + 42;

const sources = new Sources(1 << 16, [2, 4]);
after(() => sources.close());

/** A history with a Data.fs in one of its records, so that some guessed positions are wrong. */
function history(random: Random): Uint8Array {
  const before: Draft[] = plain(20 + random.below(20), 40 + random.below(200));
  const inner = dataFs(plain(10, 60), dataFs(before).bytes.length + DATA_OFFSET).bytes;
  return dataFs([...before, { records: [{ data: concat(inner, filler(300)) }] }, {}, ...plain(30, 90)]).bytes;
}

describe('chunks that finish in any order', () => {
  it(`give the same bytes, chunks and outcome, for ${ROUNDS} seeds`, async (t) => {
    const random = new Random(20_261_123);
    const { run } = WorkerPool.prototype;
    t.mock.method(WorkerPool.prototype, 'run', async function (this: WorkerPool, task: Parameters<typeof run>[0]) {
      await sleep(random.below(LONGEST_DELAY_MS));
      return run.call(this, task);
    });
    for (let round = 0; round < ROUNDS; round++) await sources.agreed(history(random), CHUNK);
  });
});
