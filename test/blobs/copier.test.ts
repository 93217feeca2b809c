import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { BlobTree } from '../../src/blobs/blob-tree.js';
import { BlobCopier } from '../../src/blobs/copier.js';
import { pathOf } from '../../src/blobs/layout.js';
import { SlaveTree } from '../../src/blobs/slave-tree.js';
import { IoFault } from '../../src/io/fault.js';
import { OpenFile } from '../../src/io/open-file.js';
import { ReadDeadline } from '../../src/pipeline/read-deadline.js';
import { Window } from '../../src/pipeline/window.js';
import { withTempDir } from '../support/site.js';

const ID = { oid: 0x1234n, tid: 0x0405_e700_1111_1111n };
const RELATIVE = pathOf(ID, 'bushy');

interface Scene {
  readonly master: BlobTree;
  readonly slave: SlaveTree;
  readonly copier: BlobCopier;
  /** The blob's file on both sides. */
  readonly theirs: string;
  readonly ours: string;
}

async function withTrees(content: string, use: (scene: Scene) => Promise<void>): Promise<void> {
  await withTempDir(async (directory) => {
    const [from, to] = [join(directory, 'master'), join(directory, 'slave')];
    const theirs = join(from, RELATIVE);
    mkdirSync(dirname(theirs), { recursive: true });
    mkdirSync(to);
    writeFileSync(join(from, '.layout'), 'bushy');
    writeFileSync(theirs, content);
    const deadline = new ReadDeadline(20);
    const master = await BlobTree.open(from, deadline);
    const slave = SlaveTree.open(to);
    const nothing = (): void => {};
    const copier = new BlobCopier(master, slave, deadline, 'copy', nothing, nothing);
    await use({ master, slave, copier, theirs, ours: join(to, RELATIVE) });
  });
}

/** Calls `change` once the master's file is open, and before any of it is read. */
function onOpened(master: BlobTree, change: () => void): void {
  const open = master.openBlob.bind(master);
  master.openBlob = async (id) => {
    const blob = await open(id);
    change();
    return blob;
  };
}

const files = (path: string) => readdirSync(path).filter((name) => name.endsWith('-tmp') || name.endsWith('.blob'));

describe('a blob that changes while it is copied', () => {
  for (const size of [0, 1, 300_000]) {
    it(`to ${size} bytes is an error that names the place; nothing is left of the copy`, () =>
      withTrees('x'.repeat(1_000_000), async ({ master, copier, theirs, ours }) => {
        onOpened(master, () => truncateSync(theirs, size));
        await assert.rejects(copier.obtain(ID, new Window(1 << 18)), (error) => {
          assert.ok(error instanceof IoFault);
          assert.equal(error.code, 'ESHORT');
          assert.match(error.message, new RegExp(`\\.blob at ${size}: it ends at ${size}, and had 1000000 bytes`));
          return true;
        });
        assert.deepEqual(files(dirname(ours)), []);
      }));
  }

  it('is the one that was opened, where it is removed by then', () =>
    withTrees('content', async ({ master, copier, theirs, ours }) => {
      onOpened(master, () => rmSync(theirs));
      assert.equal((await copier.obtain(ID, new Window(1 << 18))).kind, 'copied');
      assert.equal(readFileSync(ours, 'utf8'), 'content');
    }));
});

describe('a blob that a pack removes', () => {
  it('between its opening and the check of its path is copied, and not taken for a link', () =>
    withTrees('content', async ({ copier, theirs, ours }) => {
      const { prototype } = OpenFile;
      const { truePath } = prototype;
      prototype.truePath = function (): string | undefined {
        rmSync(theirs, { force: true });
        return truePath.call(this);
      };
      try {
        assert.equal((await copier.obtain(ID, new Window(1 << 18))).kind, 'copied');
        assert.equal(readFileSync(ours, 'utf8'), 'content');
      } finally {
        prototype.truePath = truePath;
      }
    }));

  it('before its opening is absent', () =>
    withTrees('content', async ({ copier, theirs, ours }) => {
      rmSync(theirs);
      assert.deepEqual(await copier.obtain(ID, new Window(1 << 18)), { kind: 'absent' });
      assert.equal(existsSync(ours), false);
    }));
});
