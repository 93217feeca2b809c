import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { assertEnd, syncpozo } from '../support/cli.js';
import { type Pair, withPair } from '../support/pair.js';
import { python } from '../support/venv.js';

const OPEN = 'import sys; from ZODB.FileStorage import FileStorage; FileStorage(sys.argv[1], read_only=True).close()';

/** The error that the real ZODB on Python 3 raises when it opens the file; '' if it opens. */
function refusal(path: string): string {
  const run = spawnSync(python(), ['-c', OPEN, path], { encoding: 'utf8' });
  return run.status === 0 ? '' : (run.stderr.trimEnd().split('\n').at(-1) ?? '');
}

function giveMagic(pair: Pair, magic: string): void {
  const bytes = readFileSync(pair.masterFile);
  bytes.write(magic, 0, 'latin1');
  writeFileSync(pair.masterFile, bytes);
}

describe("a Python 2 site's Data.fs", () => {
  it('is intact but does not open on Python 3, as verify reports and ZODB confirms', () =>
    withPair((pair) => {
      giveMagic(pair, 'FS21');
      assertEnd(pair.sync(), { exit: 0, action: 'full' });
      assert.match(refusal(pair.slaveFile), /FileStorageFormatError/);
      const args = ['verify', pair.slave, '--against', pair.master];
      const { exit, json } = syncpozo([...args, '--json']);
      assert.deepEqual(
        [exit, json.ok, json.magic, json.opensOnPython3, json.problemCount],
        [0, true, 'FS21', false, 0],
      );
      const text = syncpozo(args);
      assert.equal(text.exit, 0, text.all);
      assert.match(text.stdout, /^format: +of a Python 2 site: ZODB on Python 3 does not open it$/m);
      assert.match(text.stdout, /^hint: .*zodbupdate --convert-py3/m);
    }));

  it('is distinguished from that of a Python 3 site, and from a file that is no Data.fs', () =>
    withPair((pair) => {
      assert.equal(refusal(pair.masterFile), '');
      assert.equal(syncpozo(['verify', pair.master, '--json']).json.opensOnPython3, true);
      assert.doesNotMatch(syncpozo(['verify', pair.master]).stdout, /Python|zodbupdate/);
      giveMagic(pair, 'FS29');
      const { exit, json } = syncpozo(['verify', pair.master, '--json']);
      assert.deepEqual([exit, json.magic, json.opensOnPython3], [4, null, null]);
    }));
});
