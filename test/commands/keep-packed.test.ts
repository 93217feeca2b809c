import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { syncpozo } from '../support/cli.js';
import { type Pair, withPair } from '../support/pair.js';
import { transactionsOf } from '../support/walking.js';

function packedFiles(pair: Pair): string[] {
  return readdirSync(pair.slave)
    .filter((name) => /^Data\.fs\.packed-[0-9a-f]{16}$/.test(name))
    .sort();
}

/** The master is edited and packed; the slave is rebuilt. Returns the slave's bytes from before. */
function pack(pair: Pair, n: number, ...more: string[]): Buffer {
  const before = readFileSync(pair.slaveFile);
  pair.commit(`edit ${n}`, `edit ${n}`, `edit ${n}`);
  assert.ok(pair.site.pack());
  const run = pair.sync(...more);
  assert.deepEqual([run.exit, run.json.action], [0, 'rebuild'], run.all);
  return before;
}

describe('sync --keep-packed', () => {
  it('keeps the last files that rebuilds after packs replace, with their indexes, and removes older ones of its own', () =>
    withPair((pair) => {
      pair.synced();
      // Names that look like it, of somebody else.
      const foreign = [
        'Data.fs.packed-0000000000000001',
        'Data.fs.packed-backup',
        `Data.fs.packed-${'f'.repeat(16)}.bak`,
      ];
      for (const name of foreign) writeFileSync(join(pair.slave, name), 'of somebody');
      const kept = [1, 2, 3].map((n) => pack(pair, n, '--keep-packed', '2'));
      const ours = packedFiles(pair).filter((name) => !foreign.includes(name));
      assert.equal(ours.length, 2);
      for (const [n, name] of ours.entries()) {
        const bytes = readFileSync(join(pair.slave, name));
        assert.ok(bytes.equals(kept[n + 1]!), name);
        assert.equal(name.slice(-16), transactionsOf(bytes).at(-1)!.tid.toString(16).padStart(16, '0'));
        assert.ok(existsSync(join(pair.slave, `${name}.index`)));
      }
      for (const name of foreign) assert.equal(readFileSync(join(pair.slave, name), 'utf8'), 'of somebody');
      const { json } = syncpozo(['status', pair.slave, '--json', '--status-file', pair.statusFile]);
      assert.deepEqual(
        json.keptPacked.map(({ size }: { size: number }) => size),
        kept.slice(1).map(({ length }) => length),
      );
      pair.assertNothingNew('--keep-packed', '2');
    }));

  it('keeps none by default, and leaves those that are there', () =>
    withPair((pair) => {
      pair.synced();
      pack(pair, 1);
      assert.deepEqual(packedFiles(pair), []);
      pack(pair, 2, '--keep-packed', '1');
      const [name] = packedFiles(pair);
      pack(pair, 3);
      assert.deepEqual(packedFiles(pair), [name]);
    }));

  it('gives restore the states from before the pack', () =>
    withPair((pair) => {
      pair.synced();
      const before = pack(pair, 1, '--keep-packed', '1');
      const { tid, end } = transactionsOf(before)[0]!;
      const dest = join(pair.directory, 'out.fs');
      const until = tid.toString(16).padStart(16, '0');
      const run = pair.unchanged(() => syncpozo(['restore', pair.slave, dest, '--until', until, '--json']));
      assert.equal(run.exit, 0, run.all);
      assert.match(run.json.source, /Data\.fs\.packed-/);
      assert.deepEqual(readFileSync(dest), before.subarray(0, end));
    }));

  it('removes no file that somebody has put in the place of a kept one', () =>
    withPair((pair) => {
      pair.synced();
      pack(pair, 1, '--keep-packed', '1');
      const path = join(pair.slave, packedFiles(pair)[0]!);
      writeFileSync(`${path}.bak`, 'of somebody');
      renameSync(`${path}.bak`, path);
      pack(pair, 2, '--keep-packed', '1');
      assert.equal(readFileSync(path, 'utf8'), 'of somebody');
      assert.equal(packedFiles(pair).length, 2);
    }));
});
