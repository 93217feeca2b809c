import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type SlavePaths, slavePaths } from '../../src/standby/paths.js';
import type { RoleFacts } from '../../src/standby/role.js';
import { publishRole, readRoleFile } from '../../src/standby/role-file.js';
import { withTempDir } from '../support/site.js';

function withSlave(use: (paths: SlavePaths) => void | Promise<void>): Promise<void> {
  return withTempDir((directory) => use(slavePaths(directory, 'Data.fs')));
}

const FACTS: RoleFacts = {
  role: 'master',
  terms: [{ term: 1, position: 100, tid: 5n, at: 1000, host: 'h', command: 'promote', unused: false }],
  promotion: { position: 100, tid: 5n, at: 1000, lastSync: undefined },
};

describe('the role file', () => {
  it('is beside the data file, with its name as prefix', () =>
    withSlave((paths) => assert.equal(paths.role, join(paths.directory, 'Data.fs.role'))));

  it('is only missing when it does not exist', () =>
    withSlave((paths) => assert.deepEqual(readRoleFile(paths), { missing: true })));

  it('is published readable for everybody, replaced, and leaves no other file', () =>
    withSlave((paths) => {
      for (const facts of [FACTS, { role: 'slave', terms: FACTS.terms } as const]) {
        publishRole(paths, facts);
        assert.deepEqual(readRoleFile(paths), { facts });
        assert.equal(statSync(paths.role).mode & 0o7777, 0o644);
        assert.deepEqual(readdirSync(paths.directory), ['Data.fs.role']);
      }
    }));

  it('is not written with facts that could not be read back', () =>
    withSlave((paths) => {
      publishRole(paths, FACTS);
      const before = readFileSync(paths.role);
      const [line] = FACTS.terms;
      assert.throws(() => publishRole(paths, { ...FACTS, terms: [line!, line!] }), /term 1 follows 1/);
      assert.throws(() => publishRole(paths, { ...FACTS, role: 'slave' }), /no role file/);
      assert.deepEqual(readFileSync(paths.role), before);
    }));

  it('that is unreadable is a problem that names it, never a missing file', () =>
    withSlave((paths) => {
      const places: readonly [string, () => void][] = [
        ['a directory', () => mkdirSync(paths.role)],
        ['a dangling link', () => symlinkSync('nowhere', paths.role)],
        ['a pipe', () => execFileSync('mkfifo', [paths.role])],
        ['an empty file', () => writeFileSync(paths.role, '')],
        ['a file of zeros', () => writeFileSync(paths.role, Buffer.alloc(300))],
        ['a large file', () => writeFileSync(paths.role, Buffer.alloc((1 << 24) + 1))],
      ];
      for (const [what, put] of places) {
        put();
        const found = readRoleFile(paths);
        assert.ok('problem' in found, what);
        assert.ok(found.problem.startsWith(`${paths.role} `), found.problem);
        execFileSync('rm', ['-r', paths.role]);
      }
    }));
});
