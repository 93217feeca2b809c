import assert from 'node:assert/strict';
import { closeSync, ftruncateSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { OpenFile } from '../../src/io/open-file.js';
import { InlineSource } from '../../src/pipeline/chunk-source.js';
import { Window } from '../../src/pipeline/window.js';
import { deliver } from '../support/chunks.js';
import { type Draft, dataFs, filler, plain } from '../support/data-fs.js';
import { Random } from '../support/random.js';
import { withTempDir } from '../support/site.js';
import { openMaster } from '../support/sources.js';

const WINDOW = 4096;
const SLOW_MS = 3;
const ROUNDS = 120;
const MAGIC = 4;
/** Headers and trailer of a transaction of one record. */
const OVERHEAD = 73;
const ABORTED = 'ABORTED!';
const FINISHED = 'finished';

/** A transaction of two records, so that it has a record header in its middle as well. */
function large(mark: string, length: number, tid: bigint, status: string): Draft {
  const data = mark.repeat(Math.ceil(length / 16));
  return { tid, status, records: [{ data }, { data }] };
}

/** A transaction from `start` that leaves this many bytes of a window: the next header continues in the next window. */
function upToWindowsEnd(start: number, left: number): Draft {
  const room = WINDOW - ((start - MAGIC + left + OVERHEAD) % WINDOW);
  return { records: [{ data: filler(room) }] };
}

/**
 * The successive contents of a master's file during the copy: a vote that is aborted, and another one at the same
 * position, mostly of the same length (a retry of the request), which is finished.
 */
function statesOf(random: Random): Uint8Array[] {
  const small = plain(20 + random.below(40), 200 + random.below(400));
  if (random.below(3) === 0) small.push(upToWindowsEnd(dataFs(small).bytes.length, 1 + random.below(22)));
  const length = 3 * WINDOW + random.below(4 * WINDOW);
  const other = random.below(3) === 0 ? length + random.below(3 * WINDOW) : length;
  const file = (...more: Draft[]) => dataFs([...small, ...more]).bytes;
  const aborted = 0x0500_0000_0000_0000n;
  const tid = aborted + 0x100n;
  const next = { tid: tid + 0x100n, records: [{ data: filler(300) }] };
  const finished = large(FINISHED, other, tid, ' ');
  return [
    file(large(ABORTED, length, aborted, 'c')),
    file(),
    file(large(FINISHED, other, tid, 'c')),
    file(finished),
    file(finished, next),
  ];
}

/**
 * A file that changes its state after a given number of reads. A read finishes some time after its start, as in a pool of
 * threads, so concurrent reads finish in any order.
 */
async function whileItChanges<T>(
  path: string,
  states: readonly Uint8Array[],
  when: readonly number[],
  random: Random,
  use: () => Promise<T>,
) {
  const { readLater } = OpenFile.prototype;
  let reads = 0;
  let state = 0;
  OpenFile.prototype.readLater = async function (into, length, position) {
    await sleep(random.below(4) * SLOW_MS);
    while (state < when.length && reads >= when[state]!) put(path, states[++state]!);
    reads++;
    const count = this.read(into, length, position);
    await sleep(SLOW_MS);
    return count;
  };
  try {
    return await use();
  } finally {
    OpenFile.prototype.readLater = readLater;
  }
}

function put(path: string, bytes: Uint8Array): void {
  const fd = openSync(path, 'r+');
  ftruncateSync(fd, bytes.length);
  writeSync(fd, bytes, 0, bytes.length, 0);
  closeSync(fd);
}

describe('a transaction that is written during the copy', () => {
  it('is copied as it was finished, or not at all, at any time of vote, abort, second vote and finish', async (t) => {
    const random = new Random(21);
    const source = new InlineSource(new Window(WINDOW), { chunkBytes: 1 << 20, onProgress: () => {} });
    let copied = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const states = statesOf(random);
      const final = states.at(-1)!;
      // The interesting changes fall between two reads: mostly all of them.
      const first = random.below(Math.ceil(final.length / WINDOW));
      const steps = random.below(3) > 0 ? [0, 0, 0, 0] : [0, random.below(2), random.below(3), random.below(4)];
      const when = steps.sort().map((step) => first + step);
      await withTempDir(async (directory) => {
        const path = join(directory, 'Data.fs');
        writeFileSync(path, states[0]!);
        const master = await openMaster(path);
        const { bytes, resume } = await whileItChanges(path, states, when, random, () => deliver(source, master));
        master.close();
        const what = `round ${round}, states after ${when} reads, copied up to ${resume.position} of ${final.length}`;
        assert.ok(!Buffer.from(bytes).includes(ABORTED), `${what}: nothing of the aborted vote`);
        assert.ok(Buffer.from(bytes).equals(final.subarray(0, bytes.length)), `${what}: what was finished`);
        if (Buffer.from(bytes).includes(FINISHED)) copied++;
      });
    }
    t.diagnostic(`in ${copied} of ${ROUNDS} rounds the second vote was copied`);
    assert.ok(copied > ROUNDS / 10);
  });
});
