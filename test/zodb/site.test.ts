import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { formatTid } from '../../src/filestorage/tid.js';
import { inProject } from '../support/root.js';
import { Site, steadyClock, withTempDir } from '../support/site.js';
import { python } from '../support/venv.js';

const ROUNDS = 60;
const PAGES = 7;

function zodb(...args: string[]): string {
  return execFileSync(python(), [inProject('test', 'zodb', 'site.py'), ...args], {
    encoding: 'utf8',
    // fstest also complains on stderr about what ZODB's own pack leaves; after a failure that is part of the error.
    stdio: 'pipe',
  });
}

function check(path: string): { texts: Record<string, string>; tids: string[] } {
  return JSON.parse(zodb('check', path));
}

/** A site with edits of a few pages, and undos of them, including undos of undos. */
function busySite(path: string): Site {
  const site = Site.create(path, { clock: steadyClock() });
  for (let round = 0; round < ROUNDS; round++) {
    site.commit(site.pages(new Map([[1 + (round % PAGES), `edition ${round}`]])));
    if (round % 4 === 3) site.commit({ description: 'undo', edits: [{ oid: 1n, undo: true }] });
  }
  return site;
}

describe("Site, judged by ZODB's own FileStorage", () => {
  it('writes files that pass fstest and that ZODB loads', () =>
    withTempDir((directory) => {
      const path = join(directory, 'Data.fs');
      const site = busySite(path);
      const seen = check(path);
      assert.deepEqual(
        seen.tids,
        site.transactions.map(({ tid }) => formatTid(tid)),
      );
      assert.equal(Object.keys(seen.texts).length, PAGES);
      assert.equal(seen.texts['page-4'], 'edition 59');
      site.close();
    }));

  it('packs byte for byte as ZODB does, to a time in the middle and to the end', () =>
    withTempDir((directory) => {
      const path = join(directory, 'Data.fs');
      const theirs = join(directory, 'theirs.fs');
      const site = busySite(path);
      copyFileSync(path, theirs);
      for (const tid of [site.transactions[30]!.tid, site.lastTid]) {
        site.pack(tid);
        zodb('pack', theirs, formatTid(tid));
        assert.ok(readFileSync(path).equals(readFileSync(theirs)), `packed to ${formatTid(tid)}`);
        check(path);
      }
      site.close();
    }));

  it('continues after ZODB has written, and ZODB after it', () =>
    withTempDir((directory) => {
      const path = join(directory, 'Data.fs');
      busySite(path).close();
      zodb('append', path);
      const site = Site.open(path);
      site.commit(site.pages(new Map([[PAGES + 1, 'added here']])));
      site.close();
      const { texts } = check(path);
      assert.equal(texts['page-1'], 'changed by ZODB');
      assert.equal(texts[`page-${PAGES + 1}`], 'added here');
    }));
});
