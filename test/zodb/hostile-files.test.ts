import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { DEFECTS } from '../hostile/files/defects.js';
import { HostileJudge } from './hostile-judge.js';

describe('for a file with the defect', () => {
  let judge: HostileJudge;
  before(() => {
    judge = new HostileJudge();
  });
  after(() => judge.close());

  for (const { name, bytes, readIndex, fstest } of DEFECTS) {
    it(`${name}: ZODB ${readIndex.error ?? `ends at ${readIndex.end}`}; fstest: ${fstest ?? 'no complaint'}`, async () => {
      const [verdict] = await judge.judge([bytes]);
      const { end, error } = verdict!.scan;
      assert.deepEqual(error === undefined ? { end } : { end, error }, readIndex, verdict!.scan.message);
      assert.equal(
        verdict!.fstest.error === undefined ? undefined : verdict!.fstest.end,
        fstest,
        verdict!.fstest.message,
      );
    });
  }
});
