import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { decodeManifest } from '../../src/blobs/manifest.js';
import { withBlobPair } from '../support/blob-pair.js';
import { assertEnd } from '../support/cli.js';

const ENCRYPTED = Buffer.from('.e what an encrypting storage writes, which shows nothing');
const LAYOUTS = ['bushy', 'lawn'] as const;

for (const layout of LAYOUTS) {
  describe(`--blobs-by tree, with encrypted records, in the layout ${layout}`, () => {
    it('copies what the directory has of finished transactions; the records alone are refused', () =>
      withBlobPair(
        (pair) => {
          const ids = pair.commitBlobs('one', 'two');
          const refused = { exit: 2, action: 'failed', reason: /records of .*Data\.fs are encrypted/ };
          const first = pair.unchanged(() => pair.syncBlobs());
          assertEnd(first, { ...refused, hint: /--blobs-by tree/ });
          assert.equal(pair.syncedBlobs('--blobs-by', 'tree').json.blobs.copied, 2);
          ids.push(pair.edit(ids[0]!, 'another one'), ...pair.commitBlobs('three'));
          assertEnd(pair.syncBlobs(), { ...refused, hint: /--blobs-by tree/ });
          const { json } = pair.syncedBlobs('--blobs-by', 'tree');
          assert.deepEqual([json.action, json.blobs.copied, json.blobs.count], ['append', 2, 4]);
          pair.assertSameBlobs(ids);
          pair.assertInStep();
          pair.assertNothingNew(...pair.blobArgs, '--blobs-by', 'tree');
        },
        { layout, record: ENCRYPTED },
      ));
  });
}

describe('--blobs-by tree', () => {
  it('copies no blob of a transaction that is not finished, and nothing else that is in the directory', () =>
    withBlobPair(
      (pair) => {
        const [first] = pair.commitBlobs('one');
        const later = { oid: 0x77n, tid: first!.tid + 1n };
        const noObject = { oid: (1n << 64n) - 1n, tid: first!.tid };
        pair.write(later, 'of an aborted transaction');
        pair.write(noObject, 'of no object');
        const inFlight = `${pair.onMaster(first!)}.tmp-1234`;
        writeFileSync(inFlight, 'in flight');
        for (const name of ['tmp/x.blob', '0x00/readme', '.removed', 'blob.txt']) {
          mkdirSync(dirname(join(pair.masterBlobs, name)), { recursive: true });
          writeFileSync(join(pair.masterBlobs, name), 'foreign');
        }
        assert.equal(pair.syncedBlobs('--blobs-by', 'tree').json.blobs.count, 1);
        const { manifest, length } = decodeManifest(readFileSync(pair.manifest));
        assert.deepEqual([manifest.count, length], [1, readFileSync(pair.manifest).length]);
        for (const id of [later, noObject]) assert.equal(existsSync(pair.onSlave(id)), false);
        for (const name of ['tmp', '0x00/readme', '.removed', 'blob.txt'])
          assert.equal(existsSync(join(pair.slaveBlobs, name)), false, name);
        const [second] = pair.commitBlobs('two');
        assert.ok(second!.tid > later.tid);
        const run = pair.syncedBlobs('--blobs-by', 'tree');
        // Its transaction could have come meanwhile, for all that a directory shows: it is copied, and does no harm.
        assert.ok(run.json.blobs.count >= 2, run.all);
        pair.assertSameBlobs([first!, second!]);
      },
      { record: ENCRYPTED },
    ));
});
