import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { withBlobPair } from '../support/blob-pair.js';
import { syncpozo } from '../support/cli.js';
import { argsOf, BLOB_SCENES } from './blob-scenes.js';
import { CHANGING, opensToRead, pathsChanged } from './changes.js';
import { needsStrace, traced } from './strace.js';
import { parseTrace } from './trace.js';

/** A run that copies blobs, and one that removes some. */
const TRACED = ['append with blobs', 'rebuild after a pack with blobs'];

describe('the real program, traced by strace, with blobs', { skip: needsStrace ?? false }, () => {
  for (const scene of BLOB_SCENES.filter(({ name }) => TRACED.includes(name))) {
    it(`changes nothing but the slave's two directories: ${scene.name}`, () =>
      withBlobPair(async (pair) => {
        await scene.prepare(pair);
        const log = join(pair.directory, 'trace');
        const through = [...traced({ log, calls: CHANGING }), '--seccomp-bpf'];
        const run = syncpozo(argsOf(scene, pair), { through });
        assert.equal(run.exit, 0, run.all);
        const calls = parseTrace(readFileSync(log, 'latin1'));
        const isOurs = (path: string): boolean =>
          [pair.slave, pair.slaveBlobs].some((own) => path === own || path.startsWith(`${own}/`));
        assert.ok(
          calls.some((call) => opensToRead(call, join(pair.masterBlobs, '.layout'))),
          'it was seen to open the master',
        );
        for (const call of calls)
          for (const path of pathsChanged(call)) assert.ok(isOurs(path), `${call.name}(${call.args})`);
      }));
  }
});
