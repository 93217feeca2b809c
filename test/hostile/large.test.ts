import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { altered, dataFs, nthTid, plain } from '../support/data-fs.js';
import { withTempDir } from '../support/site.js';
import { emptyTransactions, falseBeginnings, oneLargeRecord, tinyRecords } from './large.js';
import { LimitedSyncer } from './limited.js';
import type { Result } from './meeting.js';

/** MiB for the whole syncing process; its heap is limited to less than half of what most of these files would need. */
const MEMORY = 200;
const MANY = 400_000;

/** A header like that of an unfinished file, more than a window before the next transaction. */
const FAR_FROM_THE_NEXT: Readonly<Record<string, (view: DataView) => void>> = {
  'begins with zeros': (view) => new Uint8Array(view.buffer).fill(0, 4, 27),
  'is marked as in flight': (view) => view.setUint8(20, 0x63),
  'is marked as in flight and has a length beyond the file': (view) => {
    view.setUint8(20, 0x63);
    view.setBigUint64(12, 1n << 40n);
  },
};

describe('memory is bounded, and every sync ends,', () => {
  let syncer: LimitedSyncer;
  before(() => {
    syncer = new LimitedSyncer();
  });
  after(async () => {
    await syncer.close();
    assert.ok(syncer.peakMemory < MEMORY, `${syncer.peakMemory} MiB`);
  });

  const small = dataFs(plain(3)).bytes;

  it('with very many empty transactions', () =>
    withFiles(async (files) => {
      files.master(emptyTransactions(MANY));
      files.assertCopied(await files.sync());
    }));

  it('with very many transactions of the same tid: each is a warning', () =>
    withFiles(async (files) => {
      files.master(emptyTransactions(MANY, nthTid(0), 0n));
      files.assertCopied(await files.sync());
    }));

  it('with very many tiny records in one transaction', () =>
    withFiles(async (files) => {
      files.master(tinyRecords(MANY / 2));
      files.assertCopied(await files.sync());
    }));

  it('with one record larger than the heap', () =>
    withFiles(async (files) => {
      files.master(oneLargeRecord(100 << 20));
      files.assertCopied(await files.sync());
    }));

  it('when very many transactions lie between the two sides', () =>
    withFiles(async (files) => {
      files.master(small);
      files.assertCopied(await files.sync());
      files.exchange(emptyTransactions(MANY, nthTid(1000)));
      assert.equal((await files.sync()).exitCode, 3);
      assert.deepEqual(files.slave(), small);
    }));

  it('when a slave of unknown origin has very many transactions of its own', () =>
    withFiles(async (files) => {
      files.master(small);
      writeFileSync(files.slavePath, emptyTransactions(MANY, nthTid(1000)));
      assert.equal((await files.sync()).exitCode, 3);
      files.assertCopied(await files.sync(true));
    }));

  it('when every few bytes after a bad transaction look like the start of another', () =>
    withFiles(async (files) => {
      files.master(falseBeginnings(small, 20_000));
      assert.equal((await files.sync()).exitCode, 0, 'torn, as far as one run can tell');
      assert.deepEqual(files.slave(), small);
    }));

  it('when a file of a few transactions is followed by gigabytes of zeros, on either side', () =>
    withFiles(async (files) => {
      files.master(small);
      truncateSync(files.masterPath, 8 * 2 ** 30);
      assert.equal((await files.sync()).exitCode, 0);
      assert.deepEqual(files.slave(), small);
      truncateSync(files.masterPath, small.length);
      truncateSync(files.slavePath, 2 * 2 ** 30);
      assert.ok([0, 3].includes((await files.sync()).exitCode));
    }));

  for (const [name, spoil] of Object.entries(FAR_FROM_THE_NEXT)) {
    it(`when the first transaction ${name}, and the next one is far behind it: the slave is kept`, () =>
      withFiles(async (files) => {
        const { bytes } = dataFs([{ records: [{ data: new Uint8Array(2 << 20) }] }, ...plain(2)]);
        files.master(bytes);
        files.assertCopied(await files.sync());
        files.exchange(altered(bytes, spoil));
        for (const full of [false, true]) {
          assert.equal((await files.sync(full)).exitCode, 4);
          assert.ok(readFileSync(files.slavePath).equals(bytes), 'the slave is as it was');
        }
      }));
  }

  async function withFiles(use: (files: Files) => Promise<void>): Promise<void> {
    await withTempDir((directory) => use(new Files(directory, syncer)));
  }
});

class Files {
  readonly masterPath: string;
  readonly slavePath: string;
  private bytes = new Uint8Array(0);

  constructor(
    private readonly directory: string,
    private readonly syncer: LimitedSyncer,
  ) {
    for (const side of ['master', 'slave']) mkdirSync(join(directory, side));
    this.masterPath = join(directory, 'master', 'Data.fs');
    this.slavePath = join(directory, 'slave', 'Data.fs');
  }

  master(bytes: Uint8Array): void {
    this.bytes = new Uint8Array(bytes);
    writeFileSync(this.masterPath, bytes);
  }

  exchange(bytes: Uint8Array): void {
    rmSync(this.masterPath);
    this.master(bytes);
  }

  slave(): Uint8Array {
    return new Uint8Array(readFileSync(this.slavePath));
  }

  async sync(full = false): Promise<Result> {
    const statusFile = join(this.directory, 'status');
    const options = { master: this.masterPath, slave: this.slavePath, statusFile, workers: 0, full };
    const [result] = await this.syncer.sync([options]);
    return result!;
  }

  assertCopied({ exitCode, reason }: Result): void {
    assert.equal(exitCode, 0, reason);
    assert.ok(readFileSync(this.slavePath).equals(this.bytes), 'the slave equals the master');
  }
}
