import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { IoFault } from '../../src/io/fault.js';
import { readSwitch, SwitchUnclear, writeSwitch } from '../../src/standby/switch.js';
import { withTempDir } from '../support/site.js';

/** Reads a status file with this text. */
function readText(text: string): Promise<'on' | 'off'> {
  return withTempDir((directory) => {
    const path = join(directory, 'status');
    writeFileSync(path, text);
    return readSwitch(path);
  });
}

describe('the status file', () => {
  it('that is missing means on', async () => {
    await withTempDir((directory) => assert.equal(readSwitch(join(directory, 'status')), 'on'));
  });

  it('is on or off by its one line, whatever blanks follow', async () => {
    for (const end of ['', '\n', '\r\n', ' \n', '\n\n', '\t\n']) {
      assert.equal(await readText(`SYNCING=1${end}`), 'on');
      assert.equal(await readText(`SYNCING=0${end}`), 'off');
    }
  });

  it('is unclear with any other content, which the result shows', async () => {
    const texts = [
      '',
      '\n',
      '1',
      'SYNCING',
      'SYNCING=',
      'SYNCING=2',
      'SYNCING=01',
      'SYNCING=true',
      'SYNCING = 1',
      'syncing=1',
      ' SYNCING=1',
      '\nSYNCING=1',
      'SYNCING=1\nSYNCING=0\n',
      'SYNCING=0 # down',
      'export SYNCING=1',
      '\ufeffSYNCING=1',
      'SYNCING=1\0',
      'x'.repeat(200),
    ];
    for (const text of texts) {
      await assert.rejects(
        async () => readText(text),
        (error) => {
          assert.ok(error instanceof SwitchUnclear, text);
          assert.equal(error.found, text.slice(0, 80));
          return true;
        },
      );
    }
  });

  it('that is a directory is unclear', async () => {
    await withTempDir((directory) => assert.throws(() => readSwitch(directory), SwitchUnclear));
  });

  it('is never on when it cannot be read', async () => {
    await withTempDir((directory) => {
      writeFileSync(join(directory, 'target'), 'SYNCING=1\n');
      symlinkSync('target', join(directory, 'link'));
      assert.throws(() => readSwitch(join(directory, 'link')), IoFault);
      writeFileSync(join(directory, 'long'), `SYNCING=1${' '.repeat(10_000)}`);
      assert.throws(() => readSwitch(join(directory, 'long')));
    });
  });

  it('in a missing directory means on', async () => {
    await withTempDir((directory) => assert.equal(readSwitch(join(directory, 'no', 'status')), 'on'));
  });
});

describe('writing the status file', () => {
  it('leaves one line that everybody may read, and no other file', async () => {
    await withTempDir((directory) => {
      const path = join(directory, 'status');
      for (const [value, text] of [
        ['off', 'SYNCING=0\n'],
        ['on', 'SYNCING=1\n'],
      ] as const) {
        writeSwitch(path, value);
        assert.equal(readFileSync(path, 'utf8'), text);
        assert.equal(readSwitch(path), value);
        assert.equal(statSync(path).mode & 0o777, 0o644);
        assert.deepEqual(readdirSync(directory), ['status']);
      }
    });
  });

  it('replaces an unclear one', async () => {
    await withTempDir((directory) => {
      const path = join(directory, 'status');
      writeFileSync(path, 'garbage');
      writeSwitch(path, 'on');
      assert.equal(readSwitch(path), 'on');
    });
  });

  it('fails when a directory has its name', async () => {
    await withTempDir((directory) => {
      mkdirSync(join(directory, 'status'));
      assert.throws(() => writeSwitch(join(directory, 'status'), 'on'), IoFault);
    });
  });
});
