import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { inProject } from '../support/root.js';
import { withTempDir } from '../support/site.js';
import { python } from '../support/venv.js';
import { Zeo } from '../zodb/zeo.js';

interface Seen {
  readonly finishes: 'main' | 'catalog';
  /** Status of the last complete transaction of each file. */
  readonly main: string;
  readonly catalog: string;
}

function watch(directory: string, port?: number): Seen[] {
  const files = ['main.fs', 'catalog.fs'].map((name) => join(directory, name));
  const program = inProject('test', 'together', 'premise.py');
  const more = port === undefined ? [] : [String(port)];
  const { stdout, stderr, status } = spawnSync(python(), [program, ...files, ...more], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Seen);
}

/** The first finish of a commit finds both parts in the files, in flight; the second one finds the first part finished. */
function assertVotedBeforeFinished(seen: readonly Seen[]): void {
  assert.equal(seen.length, 40);
  for (const [index, { finishes, main, catalog }] of seen.entries()) {
    const [own, other] = finishes === 'main' ? [main, catalog] : [catalog, main];
    assert.deepEqual([own, other], ['c', index % 2 === 0 ? 'c' : ' '], `commit ${index >> 1}`);
  }
}

describe('ZODB writes every part of a commit into its file before it finishes any of them', () => {
  it('with two FileStorages of its own process', async () => {
    await withTempDir((directory) => assertVotedBeforeFinished(watch(directory)));
  });

  it('with two storages of a ZEO server', async () => {
    await withTempDir(async (directory) => {
      const another = { name: 'catalog', file: join(directory, 'catalog.fs') };
      const server = { directory, file: join(directory, 'main.fs'), packKeepOld: true, name: 'main', another };
      const zeo = await Zeo.start(server);
      try {
        assertVotedBeforeFinished(watch(directory, zeo.port));
      } finally {
        await zeo.end();
      }
    });
  });
});
