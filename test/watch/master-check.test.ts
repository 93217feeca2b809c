import assert from 'node:assert/strict';
import {
  appendFileSync,
  closeSync,
  copyFileSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { STATUS_IN_FLIGHT, STATUS_OFFSET } from '../../src/filestorage/layout.js';
import { formatTid } from '../../src/filestorage/tid.js';
import { ReadDeadline } from '../../src/pipeline/read-deadline.js';
import { type Checked, MasterCheck } from '../../src/watch/master-check.js';
import { dataFs, filler, nthTid, plain } from '../support/data-fs.js';
import { withTempDir } from '../support/site.js';

/** A master of four transactions, of which the slave has three, and a check that has seen the master with three. */
async function withMaster(
  use: (scene: {
    readonly path: string;
    readonly fourth: Uint8Array;
    readonly claim: number;
    readonly end: number;
    readonly check: (claim?: number) => Promise<Checked>;
  }) => Promise<void>,
): Promise<void> {
  await withTempDir(async (directory) => {
    const path = join(directory, 'Data.fs');
    const { bytes, places } = dataFs(plain(4));
    const claim = places[2]!.end;
    writeFileSync(path, bytes.subarray(0, claim));
    const masterCheck = new MasterCheck();
    const deadline = new ReadDeadline(5);
    const check = (known = claim) => {
      const lastTid = formatTid(places.find(({ end }) => end === known)!.tid);
      return masterCheck.check({ masterPath: path, claim: known, lastTid }, deadline);
    };
    assert.equal((await check()).kind, 'changed', 'the first check has nothing to compare with');
    assert.equal((await check()).kind, 'same');
    await use({ path, fourth: bytes.subarray(claim), claim, end: bytes.length, check });
  });
}

/** In place, as a restore does that keeps the inode. */
function overwrite(path: string, bytes: Uint8Array, position: number): void {
  const file = openSync(path, 'r+');
  writeSync(file, bytes, 0, bytes.length, position);
  closeSync(file);
}

describe('the check of the master', () => {
  it('finds a finished transaction behind the claim, and its time', () =>
    withMaster(async ({ path, fourth, check }) => {
      appendFileSync(path, fourth);
      const found = await check();
      assert.equal(found.kind, 'behind');
      assert.ok(found.kind === 'behind' && found.since !== undefined && found.since < Date.now());
    }));

  it('does not take a transaction in flight for one, but its flip, which changes neither size nor mtime', () =>
    withMaster(async ({ path, fourth, claim, check }) => {
      const inFlight = Uint8Array.from(fourth);
      inFlight[STATUS_OFFSET] = STATUS_IN_FLIGHT;
      appendFileSync(path, inFlight);
      assert.equal((await check()).kind, 'same');
      assert.equal((await check()).kind, 'same');
      const { atimeNs, mtimeNs } = statSync(path, { bigint: true });
      const bytes = readFileSync(path);
      bytes.set(fourth, claim);
      writeFileSync(path, bytes);
      utimesSync(path, Number(atimeNs) / 1e9, Number(mtimeNs) / 1e9);
      assert.equal((await check()).kind, 'behind');
    }));

  it('leaves a torn tail that the round could not copy alone until it changes', () =>
    withMaster(async ({ path, fourth, check }) => {
      appendFileSync(path, fourth.subarray(0, fourth.length - 5));
      assert.equal((await check()).kind, 'behind', 'a round tries');
      assert.equal((await check()).kind, 'torn', 'and has not come further');
      appendFileSync(path, fourth.subarray(fourth.length - 5));
      assert.equal((await check()).kind, 'behind');
    }));

  it('tries again when nothing of a torn tail has changed but its header', () =>
    withMaster(async ({ path, fourth, claim, check }) => {
      appendFileSync(path, new Uint8Array(fourth.length));
      assert.equal((await check()).kind, 'behind', 'zeros: a round tries');
      assert.equal((await check()).kind, 'torn');
      const { atimeNs, mtimeNs } = statSync(path, { bigint: true });
      overwrite(path, fourth, claim);
      utimesSync(path, Number(atimeNs) / 1e9, Number(mtimeNs) / 1e9);
      assert.equal((await check()).kind, 'behind');
    }));

  it('leaves a master whose last transaction is another one to a round, whatever its size', () =>
    withMaster(async ({ path, fourth, claim, check }) => {
      const other = dataFs([...plain(2), { tid: nthTid(7), records: [{ data: filler(20, 7) }] }]).bytes;
      assert.equal(other.length, claim);
      overwrite(path, other, 0);
      assert.equal((await check()).kind, 'changed', 'of the same size');
      const inFlight = Uint8Array.from(fourth);
      inFlight[STATUS_OFFSET] = STATUS_IN_FLIGHT;
      appendFileSync(path, inFlight);
      assert.equal((await check()).kind, 'changed', 'with a transaction in flight');
    }));

  it('finds nothing new when the round has copied it', () =>
    withMaster(async ({ path, fourth, end, check }) => {
      appendFileSync(path, fourth);
      assert.equal((await check()).kind, 'behind');
      assert.equal((await check(end)).kind, 'same');
    }));

  it('leaves another file, a shorter one, a missing one and a changed role to a round', () =>
    withMaster(async ({ path, claim, check }) => {
      copyFileSync(path, `${path}.copy`);
      renameSync(`${path}.copy`, path);
      assert.equal((await check()).kind, 'changed', 'packed');
      assert.equal((await check()).kind, 'same');
      truncateSync(path, claim - 1);
      assert.equal((await check()).kind, 'changed', 'shorter');
      assert.equal((await check()).kind, 'changed', 'and still');
      writeFileSync(`${path}.role`, 'anything');
      assert.equal((await check()).kind, 'changed', 'the role');
      renameSync(path, `${path}.away`);
      assert.equal((await check()).kind, 'changed', 'missing');
    }));
});
