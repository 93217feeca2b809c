import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BLOB_SCENES } from './blob-scenes.js';
import { SCENES } from './scene.js';
import { needsStrace } from './strace.js';
import { complaint, summary, sweep } from './sweep.js';

describe('every error at every call', { skip: needsStrace ?? false }, () => {
  for (const scene of [...SCENES, ...BLOB_SCENES]) {
    for (const kill of [false, true]) {
      it(`of: ${scene.name}${kill ? ', killed' : ''}`, async (t) => {
        const swept = await sweep(scene, { chosen: () => true, everyError: true, kill });
        t.diagnostic(summary(swept));
        for (const line of swept.notable) t.diagnostic(line);
        assert.equal(swept.wrong.length, 0, complaint(swept));
      });
    }
  }
});
