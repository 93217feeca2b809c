import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { SlowMount } from '../../bench/slow-mount.js';
import { Random } from '../support/random.js';
import { withTempDir } from '../support/site.js';

const BYTES = new Random(1).bytes(3_000_001);

describe('a slow mount', () => {
  it('shows a directory unchanged, and is gone afterwards', async (test) => {
    await withTempDir(async (directory) => {
      const [from, to] = [join(directory, 'from'), join(directory, 'a mount')];
      mkdirSync(from);
      writeFileSync(join(from, 'Data.fs'), BYTES);
      writeFileSync(join(from, 'empty'), '');
      const missing = SlowMount.missing(from, to);
      if (missing !== undefined) return test.skip(missing);
      const mount = await SlowMount.mount(from, to, { milliseconds: 1, readAheadKib: 128 });
      try {
        assert.deepEqual(readdirSync(to).sort(), ['Data.fs', 'empty']);
        assert.equal(statSync(join(to, 'Data.fs')).size, BYTES.length);
        assert.ok(readFileSync(join(to, 'Data.fs')).equals(BYTES));
        mount.forget('Data.fs');
        assert.ok(readFileSync(join(to, 'Data.fs')).equals(BYTES));
        assert.equal(readFileSync(join(to, 'empty')).length, 0);
        assert.throws(() => readFileSync(join(to, 'missing')), { code: 'ENOENT' });
        assert.throws(() => writeFileSync(join(to, 'new'), ''), { code: 'EROFS' });
      } finally {
        await mount.unmount();
      }
      assert.deepEqual(readdirSync(to), []);
    });
  });
});
