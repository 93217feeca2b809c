import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { runSync } from '../../../src/round/run-sync.js';
import { withTempDir } from '../../support/site.js';
import { walkOver } from '../../support/walking.js';
import { DEFECTS, type Defect } from './defects.js';

describe('a file with the defect', { concurrency: 8 }, () => {
  for (const defect of DEFECTS) {
    it(`${defect.name}: the walk stops (${defect.walk.stop}), a first sync exits ${defect.sync}`, async () => {
      assert.ok(defect.bytes.length < 2048, 'small enough to be read');
      const { stop, end } = walkOver(defect.bytes);
      assert.deepEqual({ stop: stop?.kind, end, ...(stop?.kind === 'damaged' && { rule: stop.rule }) }, defect.walk);
      await withTempDir((directory) => assertSync(directory, defect));
    });
  }
});

async function assertSync(directory: string, { bytes, sync, walk }: Defect): Promise<void> {
  for (const side of ['master', 'slave']) mkdirSync(join(directory, side));
  const master = join(directory, 'master', 'Data.fs');
  writeFileSync(master, bytes);
  const options = { master, slave: join(directory, 'slave'), statusFile: join(directory, 'status'), workers: 0 };
  const { exitCode, reason, damage } = await runSync(options);
  assert.equal(exitCode, sync, reason);
  assert.deepEqual(new Uint8Array(readFileSync(master)), bytes, 'the master is as it was');
  if (sync === 4 && damage === null) return;
  const slave = new Uint8Array(readFileSync(join(directory, 'slave', 'Data.fs')));
  assert.deepEqual(slave, bytes.slice(0, walk.end), 'all that is good is on the slave');
}
