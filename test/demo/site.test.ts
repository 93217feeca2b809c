import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readHistory } from '../../src/demo/history.js';
import { STATUS_IN_FLIGHT, STATUS_OFFSET, STATUS_PACKED } from '../../src/filestorage/layout.js';
import { Site, steadyClock, withTempDir } from '../support/site.js';

async function withSite(use: (site: Site, path: string) => void): Promise<void> {
  await withTempDir((directory) => {
    const path = join(directory, 'Data.fs');
    const site = Site.create(path, { clock: steadyClock() });
    try {
      use(site, path);
    } finally {
      site.close();
    }
  });
}

const page = (number: number, text: string): ReadonlyMap<number, string> => new Map([[number, text]]);

describe('Site', () => {
  it('writes a complete voted transaction with status c, and commits it by that byte alone', () =>
    withSite((site, path) => {
      const end = site.committedEnd;
      site.vote(site.pages(page(1, 'one')));
      const voted = readFileSync(path);
      assert.equal(site.committedEnd, end);
      assert.equal(voted[end + STATUS_OFFSET], STATUS_IN_FLIGHT);

      site.finish();
      const finished = readFileSync(path);
      assert.equal(site.committedEnd, finished.length);
      voted[end + STATUS_OFFSET] = 0x20;
      assert.deepEqual(finished, voted);
    }));

  it('truncates an aborted transaction', () =>
    withSite((site, path) => {
      const before = readFileSync(path);
      site.vote(site.pages(page(1, 'one')));
      site.abort();
      assert.deepEqual(readFileSync(path), before);
      assert.throws(() => site.finish(), /no transaction is in flight/);
    }));

  it('reads back what it has written, and truncates a transaction in flight when it opens a file', () =>
    withSite((site, path) => {
      site.commit(site.pages(page(1, 'one')));
      site.commit({ edits: [{ oid: 1n, undo: true }] });
      site.vote(site.pages(page(2, 'two')));
      const opened = Site.open(path);
      assert.deepEqual(opened.transactions, site.transactions);
      assert.equal(statSync(path).size, site.committedEnd);
      opened.close();
    }));

  it('continues with rising tids when the clock stands still', () =>
    withTempDir((directory) => {
      const site = Site.create(join(directory, 'Data.fs'), { clock: () => Date.UTC(2026, 0, 1) });
      const first = site.lastTid;
      assert.equal(site.commit(site.pages(page(1, 'one'))), first + 1n);
      site.close();
    }));

  it('packs: current revisions only, tids kept, other records with moved pointers, in a new inode', () =>
    withSite((site, path) => {
      site.commit(site.pages(page(1, 'one')));
      const changed = site.commit(site.pages(page(1, 'uno')));
      const undone = site.commit({ edits: [{ oid: 1n, undo: true }] });
      const before = statSync(path);
      const tids = site.transactions.map(({ tid }) => tid);

      assert.equal(site.pack(changed), true);
      assert.notEqual(statSync(path).ino, before.ino);
      assert.equal(statSync(`${path}.old`).ino, before.ino);
      assert.equal(existsSync(`${path}.pack`), false);

      const history = readHistory(new Uint8Array(readFileSync(path)));
      assert.deepEqual(history, site.transactions);
      assert.deepEqual(
        history.map(({ tid }) => tid),
        tids.slice(1),
      );
      assert.deepEqual(
        history.map(({ status }) => status),
        [STATUS_PACKED, STATUS_PACKED, 0x20],
      );
      const last = history.at(-1)!;
      assert.equal(last.tid, undone);
      const kept = history[0]!.position;
      assert.ok('backPointer' in last.records[0]! && last.records[0].backPointer > kept);
      assert.ok(last.records[0].prev > history[1]!.position);
    }));

  it('packs an undo to the data that it restored', () =>
    withSite((site) => {
      site.commit(site.pages(page(1, 'one')));
      const original = site.transactions.at(-1)!.records.find(({ oid }) => oid === 1n)!;
      site.commit(site.pages(page(1, 'uno')));
      site.commit({ edits: [{ oid: 1n, undo: true }] });
      site.pack();
      const [record] = site.transactions.at(-1)!.records;
      assert.ok('data' in record! && 'data' in original);
      assert.deepEqual(record.data, original.data);
    }));

  it('leaves the file alone when a pack frees nothing', () =>
    withSite((site, path) => {
      site.commit(site.pages(page(1, 'one')));
      site.pack();
      const before = statSync(path);
      assert.equal(site.pack(), false);
      assert.equal(statSync(path).ino, before.ino);
      site.commit(site.pages(page(1, 'uno')));
      assert.equal(statSync(path).size, site.committedEnd);
    }));

  it('packs nothing while a transaction is in flight', () =>
    withSite((site) => {
      site.vote(site.pages(page(1, 'one')));
      assert.throws(() => site.pack(), /waits for the transaction in flight/);
    }));
});
