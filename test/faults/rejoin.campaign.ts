import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sweepRejoin } from './rejoin-sweep.js';
import { needsStrace } from './strace.js';
import { complaint, summary } from './sweep.js';

describe('every fault in every call of a rejoin', { skip: needsStrace ?? false }, () => {
  for (const kill of [false, true])
    it(kill ? 'killed' : 'with every error', async (t) => {
      const swept = await sweepRejoin({ chosen: () => true, everyError: true, kill });
      t.diagnostic(summary(swept));
      for (const each of swept.notable) t.diagnostic(`recovered: ${each}`);
      assert.equal(swept.wrong.length, 0, complaint(swept));
    });
});
