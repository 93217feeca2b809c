import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { oncePerFile, sweepRejoin } from './rejoin-sweep.js';
import { needsStrace } from './strace.js';
import { complaint, summary } from './sweep.js';

describe('a fault in one call of a rejoin', { skip: needsStrace ?? false }, () => {
  it('that changes something, and in some that read', async (t) => {
    const swept = await sweepRejoin({ chosen: oncePerFile(), everyError: false, kill: false });
    t.diagnostic(summary(swept));
    assert.equal(swept.wrong.length, 0, complaint(swept));
  });
});
