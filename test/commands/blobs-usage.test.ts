import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, renameSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, it } from 'node:test';
import { withBlobPair } from '../support/blob-pair.js';
import { assertEnd, assertNoCrash } from '../support/cli.js';

const UNCLEAR = [
  '',
  ':',
  'one',
  '/one',
  '/one:',
  ':/two',
  'one:two:three',
  '/one:/two:/three',
  '/one:two:/three:/four',
];

describe('--blobs', () => {
  for (const text of UNCLEAR) {
    it(`refuses ${JSON.stringify(text)}`, () =>
      withBlobPair((pair) => {
        const run = pair.unchanged(() => pair.sync('--blobs', text));
        assertNoCrash(run);
        assert.equal(run.exit, 2, run.all);
        assert.match(run.stderr, /--blobs.*MASTER_DIR:SLAVE_DIR/);
      }));
  }

  it('takes relative paths, paths with a slash behind them, and links to the directories', () =>
    withBlobPair((pair) => {
      const ids = pair.commitBlobs('one');
      const relative = `${basename(pair.masterBlobs)}:./${basename(pair.slaveBlobs)}/`;
      assertEnd(pair.syncWith({ cwd: pair.directory }, '--quiet', '--blobs', relative), { exit: 0 });
      pair.assertSameBlobs(ids);
      pair.assertNothingNew(...pair.blobArgs);
    }));

  it('takes paths with a colon where the second one is absolute', () =>
    withBlobPair((pair) => {
      const [id] = pair.commitBlobs('one');
      const [master, slave] = ['with:colon', 'a : b'].map((name) => join(pair.directory, name)) as [string, string];
      renameSync(pair.masterBlobs, master);
      mkdirSync(slave);
      assertEnd(pair.sync('--quiet', '--blobs', `${master}:${slave}`), { exit: 0 });
      assert.equal(readFileSync(pair.onSlave(id!).replace(pair.slaveBlobs, slave), 'utf8'), 'one');
    }));

  it('refuses the two directories in the wrong order', () =>
    withBlobPair((pair) => {
      const ids = pair.commitBlobs('one');
      pair.syncedBlobs();
      ids.push(...pair.commitBlobs('two'));
      const swapped = `${pair.slaveBlobs}:${pair.masterBlobs}`;
      const run = pair.unchanged(() => pair.sync('--quiet', '--blobs', swapped));
      assertEnd(run, { exit: 2, reason: /the blobs of this slave were copied to /, hint: /swapped/ });
      pair.syncedBlobs();
      pair.assertSameBlobs(ids);
    }));

  it('and --no-blobs: the later one counts', () =>
    withBlobPair((pair) => {
      pair.commitBlobs('one');
      const blobs = `${pair.masterBlobs}:${pair.slaveBlobs}`;
      assert.equal(pair.synced('--quiet', '--blobs', blobs, '--no-blobs').sync('--no-blobs').json.blobs, null);
      const run = pair.sync('--quiet', '--no-blobs', '--blobs', blobs);
      assertEnd(run, { exit: 0 });
      assert.equal(run.json.blobs.copied, 1);
    }));

  it('takes no other means and forms than those that exist', () =>
    withBlobPair((pair) => {
      for (const more of ['--blobs-by=names', '--blobs-as=symlink', '--blobs-as=']) {
        const run = pair.unchanged(() => pair.syncBlobs(more));
        assert.equal(run.exit, 2, run.all);
        assert.match(run.stderr, /Allowed choices are/);
      }
    }));
});
