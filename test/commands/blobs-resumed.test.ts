import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { withBlobPair } from '../support/blob-pair.js';

const BLOBS = 3000;
/** The journal notes 512 at a time; what came while it was written, or since then, is compared and not copied. */
const MOST_COMPARED = 1100;
/** Their directories are there already. */
const IN_FLIGHT = 16;

it('a first copy that is killed at nine tenths copies the rest when it is run again', () =>
  withBlobPair(
    async (pair) => {
      const ids = pair.commitBlobs(...Array.from({ length: BLOBS }, (_, n) => `blob ${n}`));
      const running = pair.startSync(...pair.blobArgs);
      const copied = () => readdirSync(pair.slaveBlobs).filter((name) => name.startsWith('0x')).length;
      while (copied() < 0.9 * BLOBS && !running.ended) await setTimeout(5);
      running.signal('SIGKILL');
      assert.equal((await running.end()).signal, 'SIGKILL');
      const had = copied();
      const { json } = pair.syncedBlobs();
      assert.equal(json.blobs.count, BLOBS);
      const text = `${JSON.stringify(json.blobs)}, ${had} were there`;
      assert.ok(json.blobs.copied <= BLOBS - had + IN_FLIGHT, text);
      assert.ok(json.blobs.found <= MOST_COMPARED, text);
      pair.assertSameBlobs(ids);
      pair.assertInStep();
      pair.assertNothingNew(...pair.blobArgs);
    },
    { layout: 'lawn' },
  ));
