import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { assertEnd, type Run, syncpozo } from '../support/cli.js';
import { listing, type Pair, withPair } from '../support/pair.js';
import { needsMounts } from '../support/powers.js';
import { SmallDisk } from '../support/small-disk.js';

const KIB = 1024;
const ENOUGH = 4096 * KIB;

interface Scene {
  readonly pair: Pair;
  readonly disk: SmallDisk;
  sync(...more: string[]): Run;
  /** The slave's files, without times. */
  listing(): string[];
}

/** A pair whose slave is on a small disk. */
async function onSmallDisk(use: (scene: Scene) => void): Promise<void> {
  await withPair(async (pair) => {
    const disk = await SmallDisk.make(join(pair.directory, 'disk'), ENOUGH);
    const sync = (...more: string[]) =>
      syncpozo(['sync', pair.master, disk.mount, '--json', '--status-file', pair.statusFile, ...more], disk);
    try {
      use({ pair, disk, sync, listing: () => listing(disk.view, { times: false }) });
    } finally {
      await disk.remove();
    }
  });
}

/** Pages that fill about this many KiB. */
function fill(pair: Pair, kib: number): void {
  for (let page = 1; page * 32 <= kib; page++)
    pair.site.commit(pair.site.pages(new Map([[page, 'x'.repeat(32 * KIB)]])));
}

function assertNoRoom(run: Run, reason: RegExp): void {
  assertEnd(run, { exit: 1, action: 'failed', reason, hint: /make room/ });
}

/** With free space again the next run catches up, and the one after that has nothing to do. */
function assertRepairs({ pair, disk, sync }: Scene): void {
  disk.leave(ENOUGH);
  assertEnd(sync(), { exit: 0 });
  const [slave = ''] = listing(disk.view, { times: false });
  const [master = ''] = listing(pair.master, { times: false });
  assert.equal(slave, master);
  assertEnd(sync(), { exit: 0, action: 'none' });
}

describe('a full disk', { skip: needsMounts ?? false }, () => {
  it('in a first copy: no slave exists, and the partial copy is removed', () =>
    onSmallDisk((scene) => {
      const { pair, disk, sync } = scene;
      fill(pair, 256);
      disk.leave(128 * KIB);
      assertNoRoom(sync(), /write .*Data\.fs\.new at \d+: no space left on device \(ENOSPC\)/);
      assert.deepEqual(readdirSync(disk.view).sort(), ['Data.fs.lock', 'Data.fs.outcome']);
      assertRepairs(scene);
    }));

  it('in a rebuild: the old slave is unchanged', () =>
    onSmallDisk((scene) => {
      const { pair, disk, sync } = scene;
      fill(pair, 256);
      assertEnd(sync(), { exit: 0 });
      const before = scene.listing();
      disk.leave(128 * KIB);
      assertNoRoom(sync('--full'), /write .*Data\.fs\.new.*ENOSPC/);
      assert.deepEqual(scene.listing(), before);
      assertEnd(sync(), { exit: 0, action: 'none' });
    }));

  it('in an append: the slave is as it was before the batch', () =>
    onSmallDisk((scene) => {
      const { pair, disk, sync } = scene;
      assertEnd(sync(), { exit: 0 });
      const before = scene.listing();
      fill(pair, 256);
      disk.leave(128 * KIB);
      assertNoRoom(sync(), /write .*Data\.fs at \d+: no space left on device \(ENOSPC\)/);
      assert.deepEqual(scene.listing(), before);
      assertRepairs(scene);
    }));

  it('when the .dat is published: the old .dat and no extra file remain, and the next run continues', () =>
    onSmallDisk((scene) => {
      const { pair, disk, sync } = scene;
      assertEnd(sync(), { exit: 0 });
      const before = scene.listing();
      pair.commit('fits into the last page of the file, and then there is no room for a second .dat');
      disk.leave(0);
      assertNoRoom(sync(), /Data\.fs\.dat.*ENOSPC/);
      assert.deepEqual(scene.listing().slice(1), before.slice(1));
      assertRepairs(scene);
    }));

  it('with nothing new on the master: the run writes nothing and succeeds', () =>
    onSmallDisk(({ disk, sync }) => {
      assertEnd(sync(), { exit: 0 });
      disk.leave(0);
      assertEnd(sync(), { exit: 0, action: 'none' });
    }));
});
