import assert from 'node:assert/strict';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { OpenFile } from '../../src/io/open-file.js';
import { checkPackedFile, type PackedFile } from '../../src/lineage/packed-file.js';
import { ReadDeadline } from '../../src/pipeline/read-deadline.js';
import { readableFile } from '../../src/pipeline/scan.js';
import { dataFs, nthTid } from '../support/data-fs.js';
import { write } from '../support/histories.js';
import { MemoryFile } from '../support/memory-file.js';
import { withTempDir } from '../support/site.js';

// Longer than the parts compared at its head and before its end.
const long = Array.from({ length: 40 }, (_, n) => ({
  ...write(1 + n, [n]),
  records: [{ oid: BigInt(n), data: 'x'.repeat(9000) }],
}));
const longSlave = dataFs(long);
const slave = dataFs([write(1, [0]), write(2, [1])]).bytes;
const continued = dataFs([write(1, [0]), write(2, [1]), write(3, [2])]).bytes;
const other = dataFs([write(1, [0]), write(5, [1]), write(6, [2])]).bytes;

/** As in ZODB, the packed file is created first, then the old one is renamed. */
function known(
  old: Uint8Array | 'none' | 'directory',
  more: { isReplacedLater?: boolean; master?: typeof old } = {},
): Promise<boolean> {
  return checked(old, more).then(({ isKnown }) => isKnown);
}

function checked(
  old: Uint8Array | 'none' | 'directory',
  {
    isReplacedLater = false,
    master = old,
    ours: mine = slave,
    goneAt = [],
  }: {
    isReplacedLater?: boolean;
    master?: typeof old;
    ours?: Uint8Array;
    goneAt?: readonly number[] | 'all';
  } = {},
): Promise<PackedFile> {
  return withTempDir(async (directory) => {
    const path = join(directory, 'Data.fs');
    if (old instanceof Uint8Array) writeFileSync(path, old);
    const fresh = master instanceof Uint8Array ? master : continued;
    writeFileSync(`${path}.pack`, fresh);
    await pause(20);
    if (old instanceof Uint8Array) renameSync(path, `${path}.old`);
    if (old === 'directory') mkdirSync(`${path}.old`);
    renameSync(`${path}.pack`, path);
    if (isReplacedLater) {
      await pause(20);
      rmSync(path);
      writeFileSync(path, fresh);
    }
    const file = OpenFile.openHere(path);
    try {
      const now = readableFile(file);
      const ours = { slave: new MemoryFile(mine), slaveEnd: mine.length };
      return await checkPackedFile(
        { master: now, masterEnd: now.size, ...ours, deadline: new ReadDeadline(20) },
        goneAt === 'all' ? undefined : goneAt,
      );
    } finally {
      file.close();
    }
  });
}

describe('the file that a pack replaced', () => {
  it('is accepted when it continues or equals the slave', async () => {
    assert.deepEqual([await known(continued), await known(slave)], [true, true]);
  });

  it('is rejected when it is missing, no file, shorter, or of another history', async () => {
    for (const old of ['none', 'directory', slave.subarray(0, -1), other] as const)
      assert.equal(await known(old), false);
  });

  it('is rejected when the master has lost the end of the packed part', async () => {
    assert.equal(await known(continued, { master: slave }), false);
    const empty = dataFs([write(1, [0]), write(2, [1]), { ...write(3, []), records: [] }]).bytes;
    assert.equal(await known(empty, { master: slave }), true, 'a pack drops a transaction without records');
  });

  it('is rejected when the master was created after its rename', async () => {
    assert.equal(await known(continued, { isReplacedLater: true }), false);
  });

  it('is accepted only with the copied bytes of each object that the pack dropped', async () => {
    const { bytes, places } = longSlave;
    const at = places[20]!.position;
    const rotten = Uint8Array.from(bytes);
    rotten[at + 40] = 0xff;
    const ask = (goneAt: readonly number[] | 'all') => checked(rotten, { master: bytes, ours: bytes, goneAt });
    assert.deepEqual(await ask([places[39]!.position]), { isKnown: true }, 'it is not read');
    for (const goneAt of [[at], [places[3]!.position, at], 'all'] as const) {
      const { isKnown, differs } = await ask(goneAt);
      assert.deepEqual([isKnown, differs?.slaveAt], [false, at + 40]);
      if (goneAt !== 'all') assert.deepEqual([differs?.transaction, differs?.tid], [at, nthTid(21)]);
    }
    assert.deepEqual(await checked(bytes, { ours: bytes, goneAt: 'all' }), { isKnown: true });
  });
});
