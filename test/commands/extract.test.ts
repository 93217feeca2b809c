import assert from 'node:assert/strict';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { formatTid } from '../../src/filestorage/tid.js';
import { withBlobPair } from '../support/blob-pair.js';
import { assertNoCrash, type Run, Running, syncpozo } from '../support/cli.js';
import { withConfigured } from '../support/configured.js';
import { type Pair, withPair } from '../support/pair.js';
import { needsMounts } from '../support/powers.js';
import { SmallDisk } from '../support/small-disk.js';
import { transactionHead } from '../support/sparse-file.js';

/** Runs the command, which must not change the pair. */
function extract(pair: Pair, ...args: string[]): Run {
  const run = pair.unchanged(() => syncpozo(['extract', pair.master, ...args]));
  assertNoCrash(run);
  return run;
}

function destOf(pair: Pair): string {
  return join(pair.directory, 'some.fs');
}

function tidsOf(pair: Pair): string[] {
  return pair.site.transactions.map(({ tid }) => formatTid(tid));
}

/** The tids of a file, oldest first. */
function tidsIn(path: string): string[] {
  const run = syncpozo(['log', path, '--json', '-n', '1000']);
  assert.equal(run.exit, 0, run.all);
  return run.json.transactions.map(({ tid }: { tid: string }) => tid).reverse();
}

/** Nothing is left beside the pair but these names. */
function assertLeft(pair: Pair, ...names: string[]): void {
  const left = readdirSync(pair.directory).filter((name) => !/^(master|slave)(-blobs)?$/.test(name));
  assert.deepEqual(left.sort(), names.sort());
}

const neighbour = (tid: string, by: bigint): string => formatTid(BigInt(`0x${tid}`) + by);

describe('syncpozo extract', () => {
  it('makes a file of the transactions between two tids, which need not exist', () =>
    withPair((pair) => {
      chmodSync(pair.masterFile, 0o640);
      pair.commit('a', 'b', 'c', 'd');
      const tids = tidsOf(pair);
      const [from = '', to = ''] = [tids[2], tids[4]];
      const run = extract(pair, destOf(pair), '--from', neighbour(from, -1n), '--to', neighbour(to, 1n), '--json');
      const { json } = run;
      assert.deepEqual(
        [run.exit, json.action, json.transactions, json.firstTid, json.lastTid, json.dest],
        [0, 'extracted', 3, from, to, destOf(pair)],
      );
      assert.deepEqual(tidsIn(destOf(pair)), tids.slice(2, 5));
      const { size, mode } = statSync(destOf(pair));
      assert.deepEqual([json.bytes, mode & 0o777], [size, 0o640]);
      const verified = syncpozo(['verify', destOf(pair), '--json']);
      assert.equal(verified.exit, 0, verified.all);
      assertLeft(pair, 'some.fs');
    }));

  it('goes to the end of the file without --to, and says in one line what it made', () =>
    withPair((pair) => {
      const run = extract(pair, destOf(pair), '--from', tidsOf(pair).at(-1)!);
      assert.equal(run.exit, 0, run.all);
      assert.match(run.stdout, /some\.fs has 1 transaction with 2 objects \(\d+ B\)\n$/);
      assert.equal(run.stderr, '');
    }));

  it('leaves out a transaction in flight', () =>
    withPair((pair) => {
      const tids = tidsOf(pair);
      pair.site.vote(pair.site.pages(new Map([[1, 'in flight']])));
      const run = extract(pair, destOf(pair), '--from', tids[1]!);
      assert.equal(run.exit, 0, run.all);
      assert.deepEqual(tidsIn(destOf(pair)), tids.slice(1));
    }));

  it('reads a file that is written meanwhile', () =>
    withPair(async (pair) => {
      const tids = tidsOf(pair);
      for (let round = 0; round < 5; round++) {
        rmSync(destOf(pair), { force: true });
        const running = Running.start(['extract', pair.master, destOf(pair), '--from', tids[1]!]);
        for (let n = 0; !running.ended; n++) {
          pair.commit('x'.repeat(n % 7 === 0 ? 100_000 : 100));
          pair.site.vote(pair.site.pages(new Map([[1, 'aborted']])));
          await setTimeout(1);
          pair.site.abort();
        }
        const run = await running.end();
        assertNoCrash(run);
        assert.equal(run.exit, 0, run.all);
        const made = tidsIn(destOf(pair));
        assert.deepEqual(made, tidsOf(pair).slice(1, 1 + made.length));
        assert.ok(made.length >= tids.length - 1);
        assert.equal(syncpozo(['verify', destOf(pair), '--json']).exit, 0);
      }
    }));

  it('takes the name of a storage for FILE', () =>
    withConfigured(['main', 'catalog'], (configured) => {
      const pair = configured.pair('catalog').synced();
      const run = configured.run('extract', 'catalog', destOf(pair), '--from', tidsOf(pair)[1]!, '--json');
      assert.equal(run.exit, 0, run.all);
      assert.equal(run.json.file, pair.slaveFile);
      assert.deepEqual(tidsIn(destOf(pair)), tidsOf(pair).slice(1));
    }));

  it('needs no memory for a large record', () =>
    withPair((pair) => {
      const length = 256 << 20;
      const position = statSync(pair.masterFile).size;
      const tid = BigInt(`0x${tidsOf(pair).at(-1)}`) + 1n;
      appendFileSync(pair.masterFile, transactionHead(position, tid, length, 0x20));
      truncateSync(pair.masterFile, position + length - 8);
      const trailer = Buffer.alloc(8);
      trailer.writeBigUInt64BE(BigInt(length - 8));
      appendFileSync(pair.masterFile, trailer);
      const [probe, figure] = [join(pair.directory, 'probe.mjs'), join(pair.directory, 'figure')];
      const write = `fs.writeFileSync(${JSON.stringify(figure)}, String(process.resourceUsage().maxRSS))`;
      writeFileSync(probe, `import fs from 'node:fs';\nprocess.on('exit', () => ${write});\n`);
      const args = ['extract', pair.master, destOf(pair), '--from', formatTid(tid)];
      const run = syncpozo(args, { env: { NODE_OPTIONS: `--import=${probe}` } });
      assert.equal(run.exit, 0, run.all);
      assert.equal(statSync(destOf(pair)).size, 4 + length);
      const kib = Number(readFileSync(figure, 'utf8'));
      assert.ok(kib > 20_000 && kib < 180_000, `${kib} KiB`);
    }));

  it('leaves nothing of DEST when it is ended', () =>
    withPair(async (pair) => {
      for (let page = 1; page <= 40; page++) pair.site.commit(pair.site.pages(new Map([[page, 'x'.repeat(1 << 20)]])));
      const running = Running.start(['extract', pair.master, destOf(pair), '--from', tidsOf(pair)[0]!]);
      const isBegun = (): boolean => readdirSync(pair.directory).some((name) => name.startsWith('some.fs'));
      while (!isBegun() && !running.ended) await setTimeout(1);
      running.signal('SIGTERM');
      const run = await running.end();
      assertLeft(pair, ...(run.exit === 0 ? ['some.fs'] : []));
    }));
});

describe('syncpozo extract refuses', () => {
  const cases: readonly (readonly [string, number, RegExp, (pair: Pair) => string[]])[] = [
    [
      'tids behind the last one',
      3,
      /no transaction of .* is f{16} or newer\nhint: syncpozo log/,
      () => ['f'.repeat(16)],
    ],
    [
      'tids between two transactions',
      3,
      /no transaction of .* or newer, and .* or older/,
      (pair) => [neighbour(tidsOf(pair)[1]!, 1n), '--to', neighbour(tidsOf(pair)[2]!, -1n)],
    ],
    ['--to before --from', 2, /'--to' is older than '--from'/, () => ['f'.repeat(16), '--to', '0'.repeat(16)]],
    ['something that is no tid', 2, /Expected a tid/, () => ['yesterday']],
  ];
  for (const [name, exit, message, range] of cases)
    it(name, () =>
      withPair((pair) => {
        const run = extract(pair, destOf(pair), '--from', ...range(pair));
        assert.deepEqual([run.exit, run.stdout], [exit, ''], run.all);
        assert.match(run.stderr, message);
        assertLeft(pair);
      }),
    );

  it('a DEST that exists, whatever it is', () =>
    withPair((pair) => {
      const [file, directory] = [join(pair.directory, 'a'), join(pair.directory, 'b')];
      writeFileSync(file, 'precious');
      mkdirSync(directory);
      for (const dest of [file, directory, pair.masterFile]) {
        const run = extract(pair, dest, '--from', tidsOf(pair)[0]!);
        assert.deepEqual([run.exit, run.stdout], [2, ''], run.all);
        assert.match(run.stderr, /exists, and is not replaced\nhint: name another DEST/);
      }
      assert.equal(readFileSync(file, 'utf8'), 'precious');
    }));

  it('a DEST in a directory that does not exist, and an empty one', () =>
    withPair((pair) => {
      for (const [dest, message] of [
        [join(pair.directory, 'no', 'some.fs'), /the directory .*no does not exist/],
        ['', /DEST is empty/],
      ] as const) {
        const run = extract(pair, dest, '--from', tidsOf(pair)[0]!);
        assert.equal(run.exit, 2, run.all);
        assert.match(run.stderr, message);
      }
      assertLeft(pair);
    }));

  it('a FILE that is no Data.fs, and one that is not there', () =>
    withPair((pair) => {
      writeFileSync(join(pair.slave, 'text.fs'), 'a text');
      for (const file of [join(pair.slave, 'text.fs'), pair.slave]) {
        const run = syncpozo(['extract', file, destOf(pair), '--from', tidsOf(pair)[0]!]);
        assertNoCrash(run);
        assert.equal(run.exit, 2, run.all);
        assert.match(run.stderr, /is not a Data\.fs|does not exist/);
      }
    }));
});

describe('syncpozo extract of a damaged file', () => {
  /** Spoils a byte of the transaction with this number. */
  function spoil(pair: Pair, number: number, offset: number): void {
    const bytes = readFileSync(pair.masterFile);
    const at = pair.site.transactions[number]!.position + offset;
    bytes[at] = bytes[at]! ^ 0xff;
    writeFileSync(pair.masterFile, bytes);
  }
  /** In the first record: its tloc. */
  const TLOC = 23 + 'editor'.length + 'edited'.length + 24 + 7;

  it('ends with 4 and makes nothing where the damage is among the transactions', () =>
    withPair((pair) => {
      pair.commit('a', 'b', 'c');
      spoil(pair, 3, TLOC);
      const run = extract(pair, destOf(pair), '--from', tidsOf(pair)[2]!, '--json');
      assert.deepEqual([run.exit, run.json.action, run.json.dest], [4, 'failed', null], run.all);
      assert.match(run.json.reason, /is damaged at position \d+/);
      assertLeft(pair);
    }));

  it('makes the file where the damage is before them', () =>
    withPair((pair) => {
      pair.commit('a', 'b', 'c');
      spoil(pair, 1, TLOC);
      const run = extract(pair, destOf(pair), '--from', tidsOf(pair)[3]!);
      assert.equal(run.exit, 0, run.all);
      assert.deepEqual(tidsIn(destOf(pair)), tidsOf(pair).slice(3));
    }));
});

describe('syncpozo extract --blobs', () => {
  it('makes a blob directory of the blobs of these transactions', () =>
    withBlobPair((pair) => {
      pair.commitBlobs('older');
      const ids = [...pair.commitBlobs('one', 'two'), ...pair.commitBlobs('three')];
      const directory = join(pair.directory, 'some.blobs');
      const from = formatTid(ids[0]!.tid);
      const run = extract(pair, destOf(pair), '--from', from, '--blobs', `${pair.masterBlobs}:${directory}`, '--json');
      assert.equal(run.exit, 0, run.all);
      assert.deepEqual(run.json.blobs, { directory, files: 3, bytes: 11, missing: 0 });
      const names = readdirSync(directory, { recursive: true, encoding: 'utf8' });
      assert.equal(names.filter((name) => name.endsWith('.blob')).length, 3);
      assert.equal(readFileSync(join(directory, '.layout'), 'utf8'), 'bushy');
      assertLeft(pair, 'some.blobs', 'some.fs');
    }));

  it('ends with 4 where the file of a blob is missing, and makes the rest', () =>
    withBlobPair((pair) => {
      const [lost, kept] = pair.commitBlobs('one', 'two');
      rmSync(pair.onMaster(lost!));
      const directory = join(pair.directory, 'some.blobs');
      const from = formatTid(kept!.tid);
      const run = extract(pair, destOf(pair), '--from', from, '--blobs', `${pair.masterBlobs}:${directory}`, '--json');
      assert.deepEqual([run.exit, run.json.blobs.missing, run.json.blobs.files], [4, 1, 1], run.all);
      assert.match(run.json.reason, /1 of 2 blobs have no file in/);
      assert.deepEqual(tidsIn(destOf(pair)), [from]);
    }));

  it('moves no directory of somebody, not even where that of FILE has such a name', () =>
    withBlobPair((pair) => {
      const [id] = pair.commitBlobs('one');
      const [dest, to] = [destOf(pair), join(pair.directory, 'some-blobs')];
      renameSync(pair.masterBlobs, `${to}.tmp`);
      const run = extract(pair, dest, '--from', formatTid(id!.tid), '--blobs', `${to}.tmp:${to}`);
      assert.equal(run.exit, 0, run.all);
      assert.ok(existsSync(`${to}.tmp`) && existsSync(to));
      renameSync(`${to}.tmp`, pair.masterBlobs);
      const same = extract(pair, `${dest}2`, '--from', formatTid(id!.tid), '--blobs', `${pair.masterBlobs}:${dest}2`);
      assert.deepEqual([same.exit, existsSync(`${dest}2`)], [2, false], same.all);
    }));

  it('reports blobs without it, and refuses a directory that exists or lies in the other', () =>
    withBlobPair((pair) => {
      const [id] = pair.commitBlobs('one');
      const from = formatTid(id!.tid);
      for (const directory of [pair.slaveBlobs, join(pair.masterBlobs, 'inside')]) {
        const run = extract(pair, destOf(pair), '--from', from, '--blobs', `${pair.masterBlobs}:${directory}`);
        assert.equal(run.exit, 2, run.all);
        assertLeft(pair);
      }
      const run = extract(pair, destOf(pair), '--from', from);
      assert.equal(run.exit, 0, run.all);
      assert.match(run.stderr, /^hint: the transactions name 1 blob: .*--blobs/);
    }));
});

describe('syncpozo extract on a full disk', { skip: needsMounts ?? false }, () => {
  it('ends with 1 and leaves nothing of the blobs either', () =>
    withBlobPair(async (pair) => {
      const [id] = pair.commitBlobs('x'.repeat(1 << 20));
      const disk = await SmallDisk.make(join(pair.directory, 'disk'), 1 << 19);
      try {
        const directories = `${pair.masterBlobs}:${join(disk.mount, 'some.blobs')}`;
        const args = ['--from', formatTid(id!.tid), '--blobs', directories];
        const run = syncpozo(['extract', pair.master, join(disk.mount, 'some.fs'), ...args], disk);
        assertNoCrash(run);
        assert.equal(run.exit, 1, run.all);
        assert.deepEqual(readdirSync(disk.view), []);
      } finally {
        await disk.remove();
      }
    }));

  it('ends with 1 and leaves nothing', () =>
    withPair(async (pair) => {
      pair.site.commit(pair.site.pages(new Map([[1, 'x'.repeat(1 << 20)]])));
      const disk = await SmallDisk.make(join(pair.directory, 'disk'), 1 << 19);
      try {
        const args = ['extract', pair.master, join(disk.mount, 'some.fs'), '--from', tidsOf(pair)[0]!];
        const run = syncpozo(args, disk);
        assertNoCrash(run);
        assert.equal(run.exit, 1, run.all);
        assert.match(run.stderr, /no space left.*\nhint: make room/);
        assert.deepEqual(readdirSync(disk.view), []);
      } finally {
        await disk.remove();
      }
    }));
});
