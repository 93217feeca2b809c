import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readHistory } from '../../src/demo/history.js';
import { packHistory } from '../../src/demo/pack.js';
import { encodeTransaction } from '../../src/filestorage/encode.js';
import { ascii, concat, type Draft, dataFs, nthTid } from '../support/data-fs.js';
import { judged, markerOf, write } from '../support/histories.js';
import { Random } from '../support/random.js';

/** A pack by the demo's writer, which follows ZODB's and is independent of this room. */
function pack(drafts: readonly Draft[], upTo: number): Uint8Array {
  const history = packHistory(readHistory(dataFs(drafts).bytes), nthTid(upTo));
  return concat(ascii('FS30'), ...history.map(encodeTransaction));
}

function commits(random: Random, from: number, count: number): Draft[] {
  return Array.from({ length: count }, (_, n) => write(from + n, [0, 1 + random.below(6)]));
}

describe('random histories', () => {
  const random = new Random(20260101);

  it('with a pack of a continuation are packed, or behind if the pack removed nothing of the slave', async () => {
    for (let round = 0; round < 200; round++) {
      // A pack that leaves nothing of the slave is never proven: object 9 is never written again.
      const all = [write(1, [0, 9]), ...commits(random, 2, 6 + random.below(20))];
      const slave = all.slice(0, 2 + random.below(all.length - 2));
      const { lineage, proven } = await judged(slave, pack(all, 1 + random.below(all.length)));
      assert.equal(proven, true, `round ${round}: ${lineage}`);
      assert.ok(['packed', 'equal', 'behind'].includes(lineage), lineage);
    }
  });

  it('that forked are never proven, packed or not, while a marker that was newest for its object on the slave is missing', async () => {
    for (let round = 0; round < 200; round++) {
      const common = commits(random, 1, 2 + random.below(8));
      const slave = [...common, ...commits(random, 100, 1 + random.below(4))];
      const theirs = [...common, ...commits(random, 50, 1 + random.below(9))];
      const master = random.below(2) ? pack(theirs, 40 + random.below(30)) : dataFs(theirs).bytes;
      const newest = slave.at(-1)!.records!.at(-1)!;
      const marker = markerOf(100 + slave.length - common.length - 1, Number(newest.oid));
      assert.equal(Buffer.from(master).includes(marker), false);
      const { lineage, proven } = await judged(slave, master, { packedFileKnown: false });
      assert.equal(proven, false, `round ${round}`);
      assert.ok(['forked', 'ahead', 'unrelated'].includes(lineage), `round ${round}: ${lineage}`);
    }
  });
});
