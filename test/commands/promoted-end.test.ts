import assert from 'node:assert/strict';
import { appendFileSync, existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { formatTid } from '../../src/filestorage/tid.js';
import { syncpozo } from '../support/cli.js';
import { withPair } from '../support/pair.js';
import { assertPromoted, batchBeyond, promote, roleFileOf } from '../support/promotion.js';
import { transactionHead } from '../support/sparse-file.js';

describe("the promoted slave's end", () => {
  it('is cut back to the position before an unfinished batch', () =>
    withPair((pair) => {
      pair.synced();
      const before = readFileSync(pair.slaveFile);
      const batch = batchBeyond(pair, 'c');
      appendFileSync(pair.slaveFile, batch);
      const run = promote(pair);
      assertPromoted(pair, run);
      assert.deepEqual(run.json.cut, { bytes: batch.length, unfinished: true, keptAs: null });
      assert.deepEqual(readFileSync(pair.slaveFile), before);
    }));

  it('includes a batch that was complete but not published', () =>
    withPair((pair) => {
      pair.synced();
      appendFileSync(pair.slaveFile, batchBeyond(pair));
      const run = promote(pair, '--master', pair.master, '--patience', '20');
      assertPromoted(pair, run);
      assert.deepEqual([run.json.cut, run.json.slave.lastTid], [null, formatTid(pair.site.lastTid)]);
      assert.equal(run.json.loss.possible, false);
      pair.assertInStep();
    }));

  it('excludes bytes that are no transaction, keeps them in a file, and the exit status is 4', () =>
    withPair((pair) => {
      pair.synced();
      const before = readFileSync(pair.slaveFile);
      const garbage = Buffer.from('no transaction at all '.repeat(10));
      appendFileSync(pair.slaveFile, garbage);
      const run = promote(pair);
      assertPromoted(pair, run, 4);
      assert.deepEqual(run.json.cut, { bytes: garbage.length, unfinished: false, keptAs: `${pair.slaveFile}.tr0` });
      assert.deepEqual(readFileSync(`${pair.slaveFile}.tr0`), garbage);
      assert.deepEqual(readFileSync(pair.slaveFile), before);
    }));

  it('stays when the last chunk has rotted, because a cut would lose other transactions', () =>
    withPair((pair) => {
      pair.synced();
      const bytes = readFileSync(pair.slaveFile);
      const at = bytes.indexOf('the second');
      bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
      writeFileSync(pair.slaveFile, bytes);
      const run = promote(pair);
      assertPromoted(pair, run, 4);
      assert.deepEqual(
        run.json.changed.map(({ start, end }: { start: number; end: number }) => [start, end]),
        [[4, bytes.length]],
      );
      assert.deepEqual(readFileSync(pair.slaveFile), bytes);
      assert.match(syncpozo(['promote', pair.slave, '--status-file', pair.statusFile]).stdout, /promoted already/);
    }));

  it('is the last complete transaction when the last chunk is damaged, and the rest is kept', () =>
    withPair((pair) => {
      const first = pair.synced().site.committedEnd;
      const tid = formatTid(pair.site.lastTid);
      pair.commit('a third one');
      pair.synced();
      const bytes = readFileSync(pair.slaveFile);
      bytes.fill(0xff, first + 8, first + 16);
      writeFileSync(pair.slaveFile, bytes);
      const run = promote(pair);
      assertPromoted(pair, run, 4);
      assert.deepEqual([run.json.slave.position, run.json.slave.lastTid], [first, tid]);
      assert.deepEqual([run.json.loss.possible, run.json.loss.certain], [true, true]);
      assert.match(run.json.loss.why, new RegExp(formatTid(pair.site.lastTid)));
      assert.deepEqual(readFileSync(`${pair.slaveFile}.tr0`), bytes.subarray(first));
    }));

  it('is the last complete transaction when the slave was truncated', () =>
    withPair((pair) => {
      const first = pair.synced().site.committedEnd;
      pair.commit('a third one');
      pair.synced();
      truncateSync(pair.slaveFile, first + 50);
      const run = promote(pair);
      assertPromoted(pair, run, 4);
      assert.deepEqual([run.json.slave.position, run.json.loss.certain], [first, true]);
    }));

  it('is found without a .dat as well', () =>
    withPair((pair) => {
      pair.synced();
      const before = readFileSync(pair.slaveFile);
      for (const [beyond, dat] of [
        [Buffer.alloc(0), undefined],
        [batchBeyond(pair, 'c'), undefined],
        [Buffer.alloc(0), 'garbage'],
      ] as const) {
        writeFileSync(pair.slaveFile, Buffer.concat([before, beyond]));
        rmSync(pair.dat, { force: true });
        rmSync(roleFileOf(pair), { force: true });
        if (dat) writeFileSync(pair.dat, dat);
        const run = promote(pair);
        assertPromoted(pair, run);
        assert.equal(run.json.checked, 'nothing');
        assert.equal(run.json.slave.position, before.length);
        assert.deepEqual(readFileSync(pair.slaveFile), before);
      }
    }));

  it('is checked together with everything before it with --verify', () =>
    withPair((pair) => {
      pair.synced('--chunk-size', '300B');
      for (const text of ['a', 'b', 'c']) pair.commit(text.repeat(400));
      pair.synced('--chunk-size', '300B');
      const bytes = readFileSync(pair.slaveFile);
      const at = bytes.indexOf('aaaa');
      bytes.writeUInt8(0x62, at);
      writeFileSync(pair.slaveFile, bytes);
      const dat = readFileSync(pair.dat);
      assertPromoted(pair, promote(pair));
      writeFileSync(pair.dat, dat);
      rmSync(roleFileOf(pair));
      const run = promote(pair, '--verify');
      assertPromoted(pair, run, 4);
      assert.equal(run.json.checked, 'all chunks');
      assert.equal(run.json.changed.length, 1);
      const [{ start, end }] = run.json.changed;
      assert.ok(start <= at && at < end);
      assert.deepEqual(readFileSync(pair.slaveFile), bytes);
    }));

  it('is before an unfinished batch that a giant transaction follows, with and without a .dat, and does not read that', () =>
    withPair((pair) => {
      pair.synced();
      const before = readFileSync(pair.slaveFile);
      const dat = readFileSync(pair.dat);
      const giant = 60 * 2 ** 30;
      const batch = batchBeyond(pair, 'c');
      for (const withDat of [true, false]) {
        writeFileSync(pair.slaveFile, before);
        appendFileSync(pair.slaveFile, batch);
        const position = before.length + batch.length;
        appendFileSync(pair.slaveFile, transactionHead(position, pair.site.lastTid + 1n, giant, 0x20));
        truncateSync(pair.slaveFile, position + giant - 8);
        const trailer = Buffer.alloc(8);
        trailer.writeBigUInt64BE(BigInt(giant - 8));
        appendFileSync(pair.slaveFile, trailer);
        if (withDat) writeFileSync(pair.dat, dat);
        else rmSync(pair.dat);
        rmSync(roleFileOf(pair), { force: true });
        const began = performance.now();
        const run = promote(pair);
        // Reading 60 GB takes far longer.
        assert.ok(performance.now() - began < 15_000, `${performance.now() - began} ms`);
        assertPromoted(pair, run);
        assert.deepEqual(run.json.cut, { bytes: batch.length + giant, unfinished: true, keptAs: null });
        assert.equal(run.json.slave.position, before.length);
        assert.deepEqual(readFileSync(pair.slaveFile), before);
      }
    }));

  it('is never before the end of the index', () =>
    withPair((pair) => {
      pair.synced();
      const index = `${pair.slaveFile}.index`;
      const head = (end: number) =>
        Buffer.from([0x80, 3, 0x4a, end & 0xff, (end >> 8) & 0xff, (end >> 16) & 0xff, 0, 0x2e]);
      const end = pair.site.committedEnd;
      writeFileSync(index, head(end + 100_000));
      assert.equal(promote(pair).json.uncoveredByIndex, end);
      assert.ok(!existsSync(index));
    }));
});
