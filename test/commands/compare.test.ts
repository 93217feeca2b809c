import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { formatTid } from '../../src/filestorage/tid.js';
import { assertNoCrash, type Run, syncpozo } from '../support/cli.js';
import { writeRole } from '../support/json-scenes.js';
import { type Pair, withPair } from '../support/pair.js';
import { promote } from '../support/promotion.js';
import { Site } from '../support/site.js';

function compare(pair: Pair, ...more: string[]): Run {
  const run = pair.unchanged(() => syncpozo(['compare', pair.master, pair.slave, '--json', ...more]));
  assertNoCrash(run);
  if (run.stdout !== '') assert.equal(run.exit, run.json.exitCode, run.all);
  return run;
}

const tids = (list: readonly { readonly tid: string }[]): string[] => list.map(({ tid }) => tid);

/** Commits each text to the master and returns the tids. */
function commits(pair: Pair, ...texts: string[]): string[] {
  return texts.map((text) => {
    pair.commit(text);
    return formatTid(pair.site.lastTid);
  });
}

describe('syncpozo compare reports the relation of master and slave:', () => {
  it('equal; or behind, with the missing transactions, oldest first', () =>
    withPair((pair) => {
      pair.synced();
      assert.deepEqual([compare(pair).exit, compare(pair).json.lineage], [0, 'equal']);
      const last = formatTid(pair.site.lastTid);
      const missing = commits(pair, 'one', 'two', 'three');
      const { exit, json } = compare(pair);
      assert.deepEqual([exit, json.lineage, tids(json.onlyA), tids(json.onlyB)], [0, 'behind', missing, []]);
      assert.equal(json.fork.tid, last);
      assert.equal(json.fork.position, readFileSync(pair.slaveFile).length);
      assert.deepEqual(tids(compare(pair, '-n', '2').json.onlyA), missing.slice(0, 2), 'those right behind the fork');
      assert.equal(compare(pair, '-n', '2').json.truncated, true);
    }));

  it('behind, with a hint that is right for the role of either side', () =>
    withPair((pair) => {
      pair.synced();
      pair.commit('lost');
      const hint = (): string => /^hint: (.*)$/m.exec(syncpozo(['compare', pair.master, pair.slave]).stdout)?.[1] ?? '';
      assert.match(hint(), /^'syncpozo sync' from A to B/);
      promote(pair);
      assert.match(hint(), /^B was promoted, so no sync writes to it; .*rejoin B A/);
      writeRole(pair.slaveFile, 'rejoining');
      assert.match(hint(), /^a rejoin of B has begun, and has not ended: run it again/);
    }));

  it('ahead, when the master was rolled back', () =>
    withPair((pair) => {
      pair.synced();
      const before = pair.site.committedEnd;
      const lost = commits(pair, 'one', 'two');
      pair.synced();
      truncateSync(pair.masterFile, before);
      const { exit, json } = compare(pair);
      assert.deepEqual([exit, json.lineage, tids(json.onlyA), tids(json.onlyB)], [3, 'ahead', [], lost]);
    }));

  it('forked, with both histories from the fork on, in text as well', () =>
    withPair((pair) => {
      pair.synced();
      const common = formatTid(pair.site.lastTid);
      const here = formatTid(pair.commitToSlave('only here'));
      const there = commits(pair, 'only there', 'only there, too');
      const { exit, json } = compare(pair);
      assert.deepEqual([exit, json.lineage, json.fork.tid], [3, 'forked', common]);
      assert.deepEqual([tids(json.onlyA), tids(json.onlyB)], [there, [here]]);
      const { stdout } = syncpozo(['compare', pair.master, pair.slave]);
      for (const tid of [common, here, ...there]) assert.match(stdout, new RegExp(tid));
      assert.match(stdout, /^hint: decide which side/m);
    }));

  it('forked: every transaction before the fork is on both sides, also after a pack of the master', () =>
    withPair((pair) => {
      pair.commit('x', 'y', 'z');
      pair.synced();
      const own = [pair.commitToSlave('x of the slave')];
      pair.commit('x of the master');
      const other = Site.open(pair.slaveFile, { clock: pair.clock });
      for (const page of [2, 3]) own.push(other.commit(other.pages(new Map([[page, `page ${page} of the slave`]]))));
      other.close();
      pair.site.pack();
      const { json } = compare(pair);
      assert.equal(json.lineage, 'forked');
      assert.deepEqual(tids(json.onlyB), own.map(formatTid));
      assert.ok(!own.map(formatTid).includes(json.fork.tid), 'the fork is a transaction of both');
      const { onlyHere } = pair.sync().json;
      assert.deepEqual([onlyHere.transactions, onlyHere.firstTid], [3, formatTid(own[0]!)]);
    }));

  it('packed: proven by the file that the pack replaced, and not proven without it', () =>
    withPair((pair) => {
      pair.synced();
      commits(pair, 'one', 'two');
      pair.synced();
      commits(pair, 'newer', 'newest');
      assert.equal(pair.site.pack(), true);
      const proven = compare(pair);
      assert.deepEqual([proven.exit, proven.json.lineage, proven.json.proven], [0, 'packed', true]);
      rmSync(`${pair.masterFile}.old`);
      const not = compare(pair);
      assert.deepEqual([not.exit, not.json.lineage, not.json.proven], [0, 'packed', false]);
      assert.match(not.json.reason, /its \.old beside the master/);
    }));

  it('rotten, and the recorded hash shows which side changed', () =>
    withPair((pair) => {
      pair.synced();
      for (const [file, changed] of [
        [pair.masterFile, 'a'],
        [pair.slaveFile, 'b'],
      ] as const) {
        const bytes = readFileSync(file);
        const rotten = Buffer.from(bytes);
        const at = rotten.indexOf('the second');
        rotten[at] = (rotten[at] ?? 0) ^ 1;
        writeFileSync(file, rotten);
        const { exit, json } = compare(pair);
        assert.deepEqual([exit, json.lineage, json.difference.changed], [4, 'rotten', changed]);
        const [from, to] = [json.difference.positionA, at];
        assert.ok(from <= to, `${from} is not behind the byte at ${to}`);
        writeFileSync(file, bytes);
      }
    }));

  it('unrelated, when the master is another site', () =>
    withPair((pair) => {
      pair.synced();
      const other = join(pair.directory, 'other');
      mkdirSync(other);
      Site.create(join(other, 'Data.fs'), { clock: () => Date.UTC(2020, 1, 1) }).close();
      copyFileSync(join(other, 'Data.fs'), pair.masterFile);
      const { exit, json } = compare(pair);
      assert.deepEqual([exit, json.lineage, json.fork], [3, 'unrelated', null]);
    }));

  it('unrelated, with a hint that the two may be swapped', () =>
    withPair((pair) => {
      pair.synced();
      const run = syncpozo(['compare', pair.slave, pair.master, '--json']);
      assert.deepEqual([run.exit, run.json.swapped], [0, true]);
      assert.match(syncpozo(['compare', pair.slave, pair.master]).stdout, /are the two swapped\?/);
    }));

  it('as it is, without that hint, on the way back: a promoted slave is followed', () =>
    withPair((pair) => {
      pair.synced();
      assert.equal(syncpozo(['promote', pair.slave, '--status-file', pair.statusFile]).exit, 0);
      const run = syncpozo(['compare', pair.slave, pair.master, '--json']);
      assert.deepEqual([run.exit, run.json.swapped], [0, false]);
    }));

  it('refuses a file that is no Data.fs, a missing file, and the same file twice', () =>
    withPair((pair) => {
      const fails = (a: string, b: string, message: RegExp): void => {
        const run = syncpozo(['compare', a, b]);
        assertNoCrash(run);
        assert.equal(run.exit, 2, run.all);
        assert.match(run.stderr, message);
        assert.match(run.stderr, /^hint: /m);
      };
      fails(pair.master, pair.slave, /does not exist/);
      fails(pair.master, pair.master, /same file/);
      writeFileSync(pair.slaveFile, 'something else');
      fails(pair.master, pair.slave, /not a Data\.fs/);
    }));
});

describe('a refusal', () => {
  it('names the compare command that shows both histories, with the actual paths', () =>
    withPair((pair) => {
      pair.synced();
      pair.commitToSlave('only here');
      pair.commit('only there');
      const { json } = pair.sync();
      assert.match(json.hint, new RegExp(`'syncpozo compare ${pair.masterFile} ${pair.slaveFile}'`));
    }));
});
