import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { answersInTime, isOnRemoteMount } from '../../src/io/mount.js';
import { withTempDir } from '../support/site.js';

const MOUNTS = [
  '22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw',
  '30 22 0:40 / /mnt/master rw,relatime - nfs4 m1:/srv ro,hard',
  '31 22 0:41 / /mnt/with\\040blank rw - fuse.sshfs m1:/srv ro',
  '32 22 0:42 / /mnt/hidden rw - nfs m1:/srv ro',
  '34 22 0:44 / /mnt/asked rw - autofs systemd-1 rw,direct',
  '33 32 0:43 / /mnt/hidden rw - ext4 /dev/vdb rw',
].join('\n');

describe('isOnRemoteMount', () => {
  for (const [path, expected] of [
    ['/mnt/master', true],
    ['/mnt/master/var/Data.fs', true],
    ['/mnt/master2/Data.fs', false],
    ['/mnt/with blank/Data.fs', true],
    ['/mnt/hidden/Data.fs', false],
    ['/mnt/asked/var/Data.fs', true],
    ['/srv/Data.fs', false],
  ] as const) {
    it(`returns ${expected} for ${path}`, () => assert.equal(isOnRemoteMount(path, MOUNTS), expected));
  }

  it('returns false when the kernel lists no mounts', () => assert.equal(isOnRemoteMount('/mnt/master', ''), false));
});

describe('answersInTime', () => {
  it('is true for a call that returns, whether the path exists or not', () =>
    withTempDir(async (directory) => {
      assert.equal(await answersInTime(directory, 20), true);
      assert.equal(await answersInTime(join(directory, 'missing'), 20), true);
    }));

  it('is false for a hanging read', () =>
    withTempDir(async (directory) => {
      const pipe = join(directory, 'pipe');
      assert.equal(spawnSync('mkfifo', [pipe]).status, 0);
      assert.equal(await answersInTime(pipe, 0.3), false);
    }));
});
