import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { formatTid, tidToIso } from '../../src/filestorage/tid.js';
import { assertNoCrash, type Run, syncpozo } from '../support/cli.js';
import { dataFs, nthTid } from '../support/data-fs.js';
import { type Pair, withPair } from '../support/pair.js';
import { withTempDir } from '../support/site.js';
import { transactionsOf } from '../support/walking.js';

function restore(...args: string[]): Run {
  const run = syncpozo(['restore', ...args, '--json']);
  assertNoCrash(run);
  return run;
}

/** Asserts that the run has left nothing where the new file was to be. */
function assertNothingLeft(directory: string, before: readonly string[]): void {
  assert.deepEqual(readdirSync(directory).sort(), [...before].sort());
}

/** Restores beside the pair; `out` is an empty directory. */
async function withOut(use: (pair: Pair, out: string) => void | Promise<void>): Promise<void> {
  await withPair(async (pair) => {
    pair.commit('third', 'fourth', 'fifth');
    const out = join(pair.directory, 'out');
    mkdirSync(out);
    await use(pair, out);
  });
}

describe('syncpozo restore', () => {
  it('writes the file up to a tid or a time, with index, mode and owner, and changes nothing else', () =>
    withOut((pair, out) => {
      chmodSync(pair.masterFile, 0o640);
      const bytes = readFileSync(pair.masterFile);
      const all = transactionsOf(bytes);
      const { tid, end } = all[2]!;
      for (const [n, until] of [formatTid(tid), formatTid(tid + 1n), tidToIso(tid + 2_000_000n)!].entries()) {
        const dest = join(out, `${n}.fs`);
        const run = pair.unchanged(() => restore(pair.master, dest, '--until', until));
        assert.equal(run.exit, 0, run.all);
        assert.deepEqual(readFileSync(dest), bytes.subarray(0, end));
        assert.equal(run.json.end.tid, formatTid(tid));
        assert.equal(statSync(dest).mode & 0o7777, 0o640);
        assert.equal(statSync(`${dest}.index`).mode & 0o7777, 0o640);
        assert.equal(statSync(dest).uid, statSync(pair.masterFile).uid);
      }
      assertNothingLeft(out, ['0.fs', '0.fs.index', '1.fs', '1.fs.index', '2.fs', '2.fs.index']);
    }));

  it('puts a Data.fs into a directory that is there, and writes nothing with --dry-run', () =>
    withOut((pair, out) => {
      const until = formatTid(transactionsOf(readFileSync(pair.masterFile))[1]!.tid);
      const dry = pair.unchanged(() => restore(pair.masterFile, out, '--until', until, '--dry-run'));
      assert.deepEqual([dry.exit, dry.json.action, dry.json.end.tid], [0, 'planned', until]);
      assertNothingLeft(out, []);
      const run = restore(pair.masterFile, out, '--until', until);
      assert.deepEqual([run.exit, run.json.dest], [0, join(out, 'Data.fs')]);
      assertNothingLeft(out, ['Data.fs', 'Data.fs.index']);
    }));

  it('refuses a DEST that exists, is FILE, or has no directory', () =>
    withOut((pair, out) => {
      writeFileSync(join(out, 'Data.fs'), 'of somebody');
      for (const dest of [out, join(out, 'Data.fs'), pair.masterFile, pair.master, join(out, 'none', 'Data.fs')]) {
        const run = pair.unchanged(() => restore(pair.masterFile, dest, '--until', '2026-01-01T00:00'));
        assert.equal(run.exit, 2, run.all);
        assert.ok(run.json.hint, run.all);
      }
      assert.equal(readFileSync(join(out, 'Data.fs'), 'utf8'), 'of somebody');
      assertNothingLeft(out, ['Data.fs']);
      for (const until of ['yesterday', '2026-02-30T10:00']) {
        const run = syncpozo(['restore', pair.masterFile, join(out, 'new.fs'), '--until', until]);
        assert.equal(run.exit, 2);
      }
    }));

  it('removes no file of somebody beside DEST, not even where FILE has such a name', () =>
    withOut((pair, out) => {
      const bytes = readFileSync(pair.masterFile);
      const until = formatTid(transactionsOf(bytes)[1]!.tid);
      const names = ['Data.fs.tmp', 'Data.fs.index.tmp', 'Data.fs.1.tmp', 'Data.fs.bak.9.syncpozo-tmp'];
      for (const name of names) writeFileSync(join(out, name), bytes);
      // What killed runs have left goes; pid_max is below.
      for (const name of ['Data.fs.4194305.syncpozo-tmp', 'Data.fs.index.4194305.syncpozo-tmp'])
        writeFileSync(join(out, name), 'a part');
      const run = restore(join(out, 'Data.fs.tmp'), join(out, 'Data.fs'), '--until', until);
      assert.equal(run.exit, 0, run.all);
      for (const name of names) assert.deepEqual(readFileSync(join(out, name)), bytes, name);
      assertNothingLeft(out, [...names, 'Data.fs', 'Data.fs.index']);
    }));

  it('refuses names of DEST and DEST_DIR that are those of other files, and changes nothing', () =>
    withOut((pair, out) => {
      const bytes = readFileSync(pair.masterFile);
      const until = formatTid(transactionsOf(bytes)[1]!.tid);
      const blobs = join(out, 'blobs');
      mkdirSync(blobs);
      writeFileSync(join(out, 'x.index'), bytes);
      mkdirSync(join(out, 'y.index'));
      const before = readdirSync(out);
      const refused = (...args: string[]): void => {
        const run = restore(...args, '--until', until);
        assert.equal(run.exit, 2, run.all);
        assert.ok(run.json.hint, run.all);
        assertNothingLeft(out, before);
        assert.deepEqual(readdirSync(blobs), []);
      };
      refused(join(out, 'x.index'), join(out, 'x'));
      refused(pair.masterFile, join(out, 'y'));
      const dest = join(out, 'z');
      for (const to of [dest, `${dest}.index`, join(blobs, 'new')])
        refused(pair.masterFile, dest, '--blobs', `${blobs}:${to}`);
      assert.deepEqual(readFileSync(join(out, 'x.index')), bytes);
    }));

  it('refuses a moment before the first transaction', () =>
    withOut((pair, out) => {
      const run = pair.unchanged(() => restore(pair.masterFile, out, '--until', '2001-01-01T00:00Z'));
      assert.deepEqual([run.exit, run.json.action], [3, 'refused'], run.all);
      assert.match(run.json.reason, /begins with /);
      assertNothingLeft(out, []);
    }));

  it('names damage before the moment and leaves nothing; damage behind it does no harm', () =>
    withOut((pair, out) => {
      const bytes = readFileSync(pair.masterFile);
      const all = transactionsOf(bytes);
      const bad = all[2]!;
      bytes.writeUInt8(bytes[bad.position + 23 + 40]! ^ 0xff, bad.position + 23 + 40);
      bytes.writeUInt8(0xff, bad.end - 1);
      writeFileSync(pair.masterFile, bytes);
      const until = (n: number) => formatTid(all[n]!.tid);
      const run = pair.unchanged(() => restore(pair.masterFile, out, '--until', until(4)));
      assert.equal(run.exit, 4, run.all);
      assert.equal(run.json.damage.position, bad.position);
      assertNothingLeft(out, []);
      assert.equal(restore(pair.masterFile, out, '--until', until(1)).exit, 0);
      assert.equal(statSync(join(out, 'Data.fs')).size, all[1]!.end);
    }));

  it('names bytes of a slave that are not those copied', () =>
    withOut((pair, out) => {
      pair.synced();
      const bytes = readFileSync(pair.slaveFile);
      const all = transactionsOf(bytes);
      const at = all.at(-1)!.end - 12;
      bytes.writeUInt8(bytes[at]! ^ 1, at);
      writeFileSync(pair.slaveFile, bytes);
      const run = pair.unchanged(() => restore(pair.slaveFile, out, '--until', formatTid(all.at(-1)!.tid)));
      assert.deepEqual([run.exit, run.json.damage.rule], [4, 'hash'], run.all);
      assert.match(run.json.hint, /--scrub full/);
      assertNothingLeft(out, []);
    }));

  it('reads the state from a kept file where a pack has left it out, and names the pack where none has it', () =>
    withOut((pair, out) => {
      const bytes = readFileSync(pair.masterFile);
      const all = transactionsOf(bytes);
      pair.commit('edited', 'edited');
      assert.ok(pair.site.pack());
      const until = formatTid(all[1]!.tid);
      const run = pair.unchanged(() => restore(pair.masterFile, join(out, 'a.fs'), '--until', until));
      assert.equal(run.exit, 0, run.all);
      assert.equal(run.json.source, `${pair.masterFile}.old`);
      assert.ok(run.json.warnings.some((each: string) => each.includes('Data.fs.old')));
      assert.deepEqual(readFileSync(join(out, 'a.fs')), bytes.subarray(0, all[1]!.end));
      // A file of another history, one that ends before the moment, and no file: none of them has the state.
      const other = dataFs([1, 2, 3, 9].map((n) => ({ tid: all[1]!.tid - 5n + BigInt(n) * 3n, records: [{}] })));
      writeFileSync(`${pair.masterFile}.old`, other.bytes);
      writeFileSync(`${pair.masterFile}.packed-${until}`, bytes.subarray(0, all[0]!.end));
      const refused = pair.unchanged(() => restore(pair.masterFile, join(out, 'b.fs'), '--until', until));
      assert.equal(refused.exit, 3, refused.all);
      assert.match(
        refused.json.reason,
        /Data\.fs\.old: nothing shows that it is of the same history; .*: it ends before that moment/,
      );
      // Who knows it better can name it.
      assert.ok(refused.json.hint.includes(`${pair.masterFile}.old`) && /in the place of FILE/.test(refused.json.hint));
      rmSync(`${pair.masterFile}.old`);
      rmSync(`${pair.masterFile}.packed-${until}`);
      const none = restore(pair.masterFile, join(out, 'b.fs'), '--until', until);
      assert.equal(none.exit, 3, none.all);
      assert.ok(none.json.packed.tid > until);
      assert.ok(!existsSync(join(out, 'b.fs')));
    }));

  it('warns where tids do not rise', () =>
    withTempDir((directory) => {
      const tids = [10, 20, 30, 15, 25, 40];
      const { bytes, places } = dataFs(tids.map((each) => ({ tid: nthTid(each), records: [{}] })));
      writeFileSync(join(directory, 'Data.fs'), bytes);
      const dest = join(directory, 'out.fs');
      const run = restore(directory, dest, '--until', formatTid(nthTid(18)));
      assert.equal(run.exit, 0, run.all);
      assert.equal(statSync(dest).size, places[3]!.end);
      assert.match(run.json.warnings.join(), /not above the one before.*may be newer than the moment/);
    }));

  it('writes no index where no transaction has a record', () =>
    withTempDir((directory) => {
      writeFileSync(join(directory, 'Data.fs'), dataFs([{}, {}]).bytes);
      writeFileSync(join(directory, 'out.fs.index'), 'of another file');
      const run = restore(directory, join(directory, 'out.fs'), '--until', formatTid(nthTid(0)));
      assert.deepEqual([run.exit, run.json.index], [0, null], run.all);
      assert.ok(!existsSync(join(directory, 'out.fs.index')));
    }));
});
