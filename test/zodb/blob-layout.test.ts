import assert from 'node:assert/strict';
import { it } from 'node:test';
import { fileNameOf, type Layout, oidOfDirectory, pathOf, tidOfName } from '../../src/blobs/layout.js';
import { Random } from '../support/random.js';
import { fixedSeed } from '../support/seed.js';
import { BlobJudge } from './blob-judge.js';

const EDGES = [0n, 1n, 0xfn, 0x10n, 0xffn, 0x100n, 0xffff_ffffn, 1n << 32n, 1n << 53n, 1n << 63n, (1n << 64n) - 2n];

it('a blob has the path that ZODB gives it, in both layouts, and the path leads back to it', async (t) => {
  const seed = fixedSeed(20_261_128);
  t.diagnostic(`seed ${seed}`);
  const random = new Random(Number(seed) | 0);
  const anyNumber = () => Buffer.from(random.bytes(8)).readBigUInt64BE() >> BigInt(random.below(64));
  const ids = EDGES.flatMap((oid) => EDGES.map((tid) => ({ oid, tid })));
  for (let n = 0; n < 500; n++) ids.push({ oid: anyNumber(), tid: anyNumber() });
  const judge = new BlobJudge();
  try {
    const { paths, markers } = await judge.paths(ids);
    assert.deepEqual(markers, { bushy: 'bushy', lawn: 'lawn' });
    for (const [n, id] of ids.entries()) {
      for (const layout of ['bushy', 'lawn'] as const satisfies Layout[]) {
        const path = pathOf(id, layout);
        assert.equal(path, paths[n]![layout], `${id.oid} ${id.tid}`);
        const components = path.split('/');
        const name = components.pop() ?? '';
        assert.equal(name, fileNameOf(id.tid));
        if (id.oid < (1n << 64n) - 1n) assert.equal(oidOfDirectory(components), id.oid);
        assert.equal(tidOfName(name), id.tid);
      }
    }
  } finally {
    await judge.close();
  }
});
