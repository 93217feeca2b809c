import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BLOB_SCENES } from './blob-scenes.js';
import { isInKillSample, isInSample, oncePerRole } from './points.js';
import { SAMPLED } from './scene.js';
import { needsStrace } from './strace.js';
import { complaint, summary, sweep } from './sweep.js';

describe('a fault in one call', { skip: needsStrace ?? false }, () => {
  for (const scene of SAMPLED) {
    for (const kill of [false, true]) {
      it(`of: ${scene.name}${kill ? ', killed' : ''}`, async (t) => {
        const swept = await sweep(scene, { chosen: kill ? isInKillSample : isInSample, everyError: false, kill });
        t.diagnostic(summary(swept));
        assert.equal(swept.wrong.length, 0, complaint(swept));
      });
    }
  }
});

describe('a fault in one call about blobs', { skip: needsStrace ?? false }, () => {
  for (const kill of [false, true]) {
    const chosen = oncePerRole(kill);
    for (const scene of BLOB_SCENES) {
      it(`of: ${scene.name}${kill ? ', killed' : ''}`, async (t) => {
        const swept = await sweep(scene, { chosen, everyError: false, kill });
        t.diagnostic(summary(swept));
        assert.equal(swept.wrong.length, 0, complaint(swept));
      });
    }
  }
});
