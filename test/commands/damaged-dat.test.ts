import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { assertEnd } from '../support/cli.js';
import { type Pair, withPair } from '../support/pair.js';

/** With an unusable .dat the slave is adopted by its bytes, and only the .dat is written. */
function assertAdopts(pair: Pair, reason: RegExp): void {
  const before = readFileSync(pair.slaveFile);
  const run = pair.sync();
  assertEnd(run, { exit: 0, action: 'adopt', reason, hint: null });
  assert.ok(readFileSync(pair.slaveFile).equals(before));
  assert.equal(run.json.copied.bytes, 0);
}

const LENGTHS: readonly (readonly [string, (length: number) => number])[] = [
  ['to nothing', () => 0],
  ['to one byte', () => 1],
  ['to its first line', () => 'syncpozo 3\n'.length],
  ['to a half', (length) => length >> 1],
  ['in its last line', (length) => length - 10],
  ['by its last byte', (length) => length - 1],
];

const CONTENTS: readonly (readonly [string, (dat: Buffer) => Uint8Array | string])[] = [
  ['garbage', () => 'garbage\n'],
  ['binary', () => Uint8Array.from({ length: 4096 }, (_, at) => (at * 37) & 0xff)],
  ['a Data.fs', () => 'FS30 and so on'],
  ['a .dat of a later version', (dat) => dat.toString().replace('syncpozo 3', 'syncpozo 4')],
  ['a .dat with another claim', (dat) => dat.toString().replace(/claim \d+/, 'claim 4')],
  ['a .dat with lines added', (dat) => `${dat}chunk\n`],
  ['a .dat twice', (dat) => `${dat}${dat}`],
];

describe('sync compares the bytes when the .dat is unusable:', () => {
  it('truncated', (test) =>
    withPair(async (pair) => {
      pair.synced();
      for (const [name, cut] of LENGTHS)
        await test.test(name, () => {
          const dat = readFileSync(pair.dat);
          writeFileSync(pair.dat, dat.subarray(0, cut(dat.length)));
          assertAdopts(pair, /Data\.fs\.dat is not usable: .*; the slave equals the master and is adopted$/);
        });
    }));

  it('with other content', (test) =>
    withPair(async (pair) => {
      pair.synced();
      for (const [name, contents] of CONTENTS)
        await test.test(name, () => {
          writeFileSync(pair.dat, contents(readFileSync(pair.dat)));
          assertAdopts(pair, /Data\.fs\.dat is not usable: /);
        });
    }));

  it('missing; the next run has nothing to do', () =>
    withPair((pair) => {
      pair.synced();
      rmSync(pair.dat);
      assertAdopts(pair, /^the \.dat is missing; the slave equals the master and is adopted$/);
      pair.assertNothingNew();
    }));

  it('of another slave', () =>
    withPair((pair) => {
      pair.synced();
      const copy = `${pair.slaveFile}.copy`;
      copyFileSync(pair.slaveFile, copy);
      rmSync(pair.slaveFile);
      renameSync(copy, pair.slaveFile);
      assertAdopts(pair, /describes another file than the one that is there/);
    }));

  it('missing, and the master has grown', () =>
    withPair((pair) => {
      pair.synced();
      rmSync(pair.dat);
      pair.commit('since then');
      assertEnd(pair.sync(), { exit: 0, action: 'adopt' });
      pair.assertInStep();
      pair.assertNothingNew();
    }));

  it('a directory: an error that names it, and its content stays', () =>
    withPair((pair) => {
      pair.synced();
      rmSync(pair.dat);
      mkdirSync(pair.dat);
      writeFileSync(join(pair.dat, 'precious'), 'something of an operator');
      const run = pair.sync();
      assertEnd(run, { exit: 1, action: 'failed', reason: /Data\.fs\.dat.*directory/ });
      assert.equal(readFileSync(join(pair.dat, 'precious'), 'utf8'), 'something of an operator');
      pair.assertInStep();
      rmSync(pair.dat, { recursive: true });
      pair.assertRepairs();
    }));
});
