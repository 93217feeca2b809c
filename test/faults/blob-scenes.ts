import { chmodSync, chownSync, copyFileSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type BlobId, LAYOUT_FILE, pathOf } from '../../src/blobs/layout.js';
import type { BlobSettings } from '../../src/blobs/settings.js';
import type { BlobPair } from '../support/blob-pair.js';
import { inSmallChunks, type Scene, syncHere } from './scene.js';

/** A scene with both blob directories. */
export type BlobScene = Scene<BlobPair>;

/** The blobs of a pair that faults are about: one to copy, another to copy, one that a pack has removed. */
interface Subjects {
  readonly near: BlobId;
  readonly far?: BlobId;
  readonly packed?: BlobId;
}

const subjects = new WeakMap<BlobPair, Subjects>();

/** More than one window of 256 KiB, so that a copy can fail in its middle. */
const LARGE = 600_000;
/** Nobody has it: what the program makes has to be given to the owner of the directory. */
const OWNER = 12_345;
const MODE = 0o750;
/** Objects in parts of the tree that hold nothing else. */
const FAR = 0xabcdef_0000n;
const ALONE = 0xfeed_0000_0000n;

function bytesOf(length: number, seed: string): Buffer {
  return Buffer.alloc(length, `${seed} of a blob, `);
}

function blobSettings(pair: BlobPair): BlobSettings {
  return { master: pair.masterBlobs, slave: pair.slaveBlobs, by: 'records', way: 'copy', keepPacked: false };
}

/** The arguments of a scene's run. */
export function argsOf(scene: BlobScene, pair: BlobPair): string[] {
  return pair.syncArgs(...(scene.withBlobs ? pair.blobArgs : []), ...scene.args);
}

/** A sync of a scene's pair in this process. */
export function syncOf(scene: BlobScene, pair: BlobPair, full = false) {
  return syncHere(pair, full, undefined, 0, scene.withBlobs ? blobSettings(pair) : undefined);
}

async function inStep(pair: BlobPair): Promise<void> {
  const { exitCode, reason } = await syncHere(pair, false, undefined, 0, blobSettings(pair));
  if (exitCode !== 0) throw new Error(`the slave could not be brought in step: ${reason}`);
}

function ownRoot(pair: BlobPair): void {
  chmodSync(pair.slaveBlobs, MODE);
  if (process.getuid?.() === 0) chownSync(pair.slaveBlobs, OWNER, OWNER);
}

function ownAll(pair: BlobPair): void {
  for (const entry of readdirSync(pair.slaveBlobs, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isDirectory()) chmodSync(path, MODE);
    if (process.getuid?.() === 0) chownSync(path, OWNER, OWNER);
  }
}

/** One beside a blob that is there, and one whose directories are not. */
function commitNearAndFar(pair: BlobPair, beside: BlobId): Subjects {
  pair.commit('a page between');
  const near = pair.edit(beside, bytesOf(LARGE, 'the near one'));
  const far = pair.edit({ ...near, oid: FAR }, bytesOf(700, 'the far one'));
  return { near, far };
}

export const BLOB_SCENES: readonly BlobScene[] = [
  {
    name: 'append with blobs',
    args: inSmallChunks,
    withBlobs: true,
    async prepare(pair) {
      ownRoot(pair);
      const [first] = pair.commitBlobs(bytesOf(500, 'the first one'));
      await inStep(pair);
      subjects.set(pair, commitNearAndFar(pair, first!));
    },
  },
  {
    name: 'first copy with blobs',
    args: inSmallChunks,
    withBlobs: true,
    prepare(pair) {
      ownRoot(pair);
      const [first] = pair.commitBlobs(bytesOf(500, 'the first one'));
      subjects.set(pair, commitNearAndFar(pair, first!));
    },
  },
  {
    name: 'rebuild after a pack with blobs',
    args: inSmallChunks,
    withBlobs: true,
    async prepare(pair) {
      ownRoot(pair);
      const [first] = pair.commitBlobs(bytesOf(500, 'the first one'), bytesOf(300, 'one that stays'));
      const packed = pair.edit({ ...first!, oid: ALONE }, bytesOf(300, 'the packed one'));
      await inStep(pair);
      const near = pair.edit(first!, bytesOf(LARGE, 'its new contents'));
      // The object has no blob any more: a pack leaves nothing in its directory.
      pair.site.commit({ edits: [{ oid: ALONE, data: Buffer.from('no blob any more') }] });
      if (!pair.site.pack()) throw new Error('the pack has freed nothing');
      for (const id of [first!, packed]) rmSync(pair.onMaster(id));
      const far = pair.edit({ ...first!, oid: FAR }, bytesOf(700, 'the far one'));
      subjects.set(pair, { near, far, packed });
    },
  },
  {
    name: 'a missing blob that is retried',
    args: inSmallChunks,
    withBlobs: true,
    async prepare(pair) {
      ownRoot(pair);
      const [near] = pair.commitBlobs(bytesOf(LARGE, 'the late one'), bytesOf(500, 'the first one'));
      const away = join(pair.directory, 'away');
      renameSync(pair.onMaster(near!), away);
      const { exitCode, blobs } = await syncHere(pair, false, undefined, 0, blobSettings(pair));
      if (exitCode === 1 || blobs?.missing !== 1) throw new Error(`nothing was missing: ${exitCode}`);
      renameSync(away, pair.onMaster(near!));
      subjects.set(pair, { near: near! });
    },
  },
  {
    name: 'blobs for a slave that had none',
    args: inSmallChunks,
    withBlobs: true,
    async prepare(pair) {
      ownRoot(pair);
      const [near, there] = pair.commitBlobs(bytesOf(LARGE, 'the near one'), bytesOf(500, 'one that was copied'));
      await syncHere(pair);
      // An operator's rsync has brought one of them.
      mkdirSync(dirname(pair.onSlave(there!)), { recursive: true });
      writeFileSync(join(pair.slaveBlobs, LAYOUT_FILE), pair.layout);
      copyFileSync(pair.onMaster(there!), pair.onSlave(there!));
      ownAll(pair);
      subjects.set(pair, { near: near!, far: there! });
    },
  },
];

/** The roles that are not the ones of a scene without blobs, nor the same as another one of these. */
export const ROLES_OF_BLOBS: ReadonlySet<string> = new Set([
  ...['blob', 'blob.tmp', 'blob directory', 'blob parent', 'blob root', 'layout.tmp', 'master blob'],
  ...['manifest', 'new manifest', 'journal', 'before', 'far blob', 'far directory', 'packed blob', 'packed directory'],
]);

/** The paths whose calls fail, by role. */
export function pathsOfBlobs(pair: BlobPair): ReadonlyMap<string, string> {
  const { near, far, packed } = subjects.get(pair) ?? {};
  if (near === undefined) return new Map();
  const file = pair.onSlave(near);
  const paths: [string, string][] = [
    ['blob', file],
    ['blob.tmp', `${file}.syncpozo-tmp`],
    ['blob directory', dirname(file)],
    ['blob parent', dirname(dirname(file))],
    ['blob root', pair.slaveBlobs],
    ['layout', join(pair.slaveBlobs, LAYOUT_FILE)],
    ['layout.tmp', join(pair.slaveBlobs, `${LAYOUT_FILE}.tmp`)],
    ['master blob', pair.onMaster(near)],
    ['master layout', join(pair.masterBlobs, LAYOUT_FILE)],
    ['manifest', pair.manifest],
    ['new manifest', `${pair.slaveFile}.new.blobs`],
    ['journal', `${pair.manifest}.journal`],
    ['before', `${pair.manifest}.before`],
  ];
  if (far !== undefined) {
    const second = pair.onSlave(far);
    const top = join(pair.slaveBlobs, ...pathOf(far, pair.layout).split('/').slice(0, 4));
    paths.push(['far blob', second], ['far blob.tmp', `${second}.syncpozo-tmp`]);
    paths.push(['far directory', dirname(second)], ['far top', top]);
  }
  if (packed !== undefined) {
    const removed = pair.onSlave(packed);
    paths.push(['packed blob', removed], ['packed directory', dirname(removed)]);
  }
  return new Map(paths);
}
