import assert from 'node:assert/strict';
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { plainResult } from '../../src/round/result.js';
import { RoundSession } from '../../src/round/session.js';
import { slavePaths } from '../../src/standby/paths.js';
import { withTempDir } from '../support/site.js';

const CLAIM = 100;

describe('the session of a watch', () => {
  it('believes the slave as the round has left it, until somebody changes it', () =>
    withTempDir(async (directory) => {
      const { session, paths, leave } = left(directory);
      leave();
      assert.deepEqual([session.isAsLeft(), session.isChanged()], [true, false]);
      truncateSync(paths.data, CLAIM - 1);
      assert.deepEqual([session.isAsLeft(), session.isChanged()], [false, true]);
    }));

  it('does not believe a slave that somebody has cut off before the round could note how it has left it', () =>
    withTempDir(async (directory) => {
      const { session, paths, leave } = left(directory);
      truncateSync(paths.data, CLAIM - 1);
      leave();
      assert.deepEqual([session.isAsLeft(), session.isChanged()], [false, true]);
    }));
});

/** A slave of CLAIM bytes, and a round that has ended in step and may note it. */
function left(directory: string) {
  const session = new RoundSession(5, new AbortController().signal, () => {});
  writeFileSync(join(directory, 'Data.fs'), new Uint8Array(CLAIM));
  const paths = slavePaths(directory, undefined);
  const round = { masterPath: '/mnt/m1/Data.fs', slavePath: paths.data, dryRun: false, seconds: 0 };
  const result = plainResult(round, 'none', 0, 'nothing new');
  const leave = (): void => session.leave(paths, { ...result, slave: { ...result.slave, claim: CLAIM } });
  return { session, paths, leave };
}
