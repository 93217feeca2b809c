import assert from 'node:assert/strict';
import { readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { syncpozo } from '../support/cli.js';
import { withPair } from '../support/pair.js';

/** A path that a person has mistaken for another one, on the command line or in the configuration. */
describe('a Data.fs at the path of', () => {
  it('the switch is not replaced by on, off and promote', () =>
    withPair((pair) => {
      pair.sync();
      for (const path of [pair.slaveFile, pair.masterFile]) {
        const before = readFileSync(path);
        for (const value of ['on', 'off']) {
          const { exit, stderr } = syncpozo([value, '--status-file', path]);
          assert.equal(exit, 1);
          assert.match(
            stderr,
            /replace \S+Data\.fs: it is a Data\.fs, and no text \(EDATA\)\nhint: nothing was written/,
          );
        }
        assert.deepEqual(readFileSync(path), before);
      }
      const before = readFileSync(pair.slaveFile);
      const { exit, stdout } = syncpozo(['promote', pair.slave, '--status-file', pair.slaveFile]);
      assert.equal(exit, 0);
      assert.match(stdout, /it is a Data\.fs, and no text/);
      assert.deepEqual(readFileSync(pair.slaveFile), before);
    }));

  it('an output is not replaced by status', () =>
    withPair((pair) => {
      pair.sync();
      const before = readFileSync(pair.masterFile);
      const { exit, stderr } = syncpozo(['status', pair.slave, '--prometheus', '--output', pair.masterFile]);
      assert.equal(exit, 1);
      assert.match(stderr, /it is a Data\.fs, and no text/);
      assert.deepEqual(readFileSync(pair.masterFile), before);
    }));

  it('the log gets no line, also behind a symbolic link', () =>
    withPair((pair) => {
      const before = readFileSync(pair.masterFile);
      const link = join(pair.slave, 'log');
      symlinkSync(pair.masterFile, link);
      for (const path of [pair.masterFile, link]) {
        const { exit, stderr } = syncpozo(['sync', pair.master, pair.slave, '--log-file', path]);
        assert.equal(exit, 2);
        assert.match(stderr, /the log file \S+ is a Data\.fs\nhint: nothing was written to it; name another file\n$/);
      }
      assert.deepEqual(readFileSync(pair.masterFile), before);
    }));
});
