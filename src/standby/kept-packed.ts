import { basename, join } from 'node:path';
import { formatTid } from '../filestorage/tid.js';
import { link, linkOrRename, listDirectory, removeIfThere, syncDirectory } from '../io/directory.js';
import { factsOfPath, writtenAt } from '../io/facts.js';
import { IoFault } from '../io/fault.js';
import { readSmallTextIfAny, replaceText } from '../io/replace.js';
import type { KeptAside } from './kept-aside.js';
import type { SlavePaths } from './paths.js';

/**
 * Old files of the slave that rebuilds after a pack have kept, so that `restore` can go back before the pack: the file, its
 * index, and the list of its blobs. The file `Data.fs.packed` lists their names and inodes:
 *
 * ```
 * syncpozo packed 1
 * TID[.NUMBER] INODE      oldest first
 * ```
 *
 * Invariant: only what this list names, by name and inode, is ever removed. It is not durable: what a crash takes out of it
 * is not removed any more.
 */
export interface KeptPacked extends KeptAside {
  readonly index: string;
  /** Its blobs, as they were claimed. */
  readonly blobs: string;
}

const FIRST_LINE = 'syncpozo packed 1';
const LINE = /^([0-9a-f]{16}(?:\.\d{1,9})?) (\d+)$/;
const LARGEST = 1 << 16;

interface Listed {
  readonly suffix: string;
  readonly inode: string;
}

/** Oldest first. */
export function keptPacked(paths: SlavePaths): readonly KeptPacked[] {
  const slaveInode = factsOfPath(paths.data)?.inode;
  return listed(paths).flatMap(({ suffix, inode }) => {
    const path = paths.packed(suffix);
    const facts = factsOfPath(path);
    // A rebuild that was killed just before its swap leaves a hard link to the slave itself.
    if (!facts || facts.inode === slaveInode) return [];
    return inode === facts.inode ? [{ ...besides(path), path, size: facts.size, writtenAt: writtenAt(facts) }] : [];
  });
}

/** Lists of blobs of kept files, also of such files that are gone. */
export function packedManifests(paths: SlavePaths): string[] {
  return namesLike(paths, /^[0-9a-f]{16}(\.\d+)?\.blobs$/);
}

/**
 * The lists of blobs of all files that are named like kept ones, whether the list has them or not; undefined where one of them
 * has none: what it needs is not known.
 */
export function neededManifests(paths: SlavePaths): string[] | undefined {
  const slaveInode = factsOfPath(paths.data)?.inode;
  const files = namesLike(paths, /^[0-9a-f]{16}(\.\d+)?$/).filter((path) => factsOfPath(path)?.inode !== slaveInode);
  const manifests = files.map((path) => besides(path).blobs);
  return manifests.every((path) => factsOfPath(path) !== undefined) ? manifests : undefined;
}

function namesLike(paths: SlavePaths, suffix: RegExp): string[] {
  const start = basename(paths.packed(''));
  const names = listDirectory(paths.directory).filter((name) => name.startsWith(start));
  return names.filter((name) => suffix.test(name.slice(start.length))).map((name) => join(paths.directory, name));
}

/**
 * Keeps the slave's file, which is about to be replaced, and what belongs to it. The next sync of the directory makes it
 * durable. Where hard links are impossible the file is moved.
 *
 * @param kept where the file is already kept in doubt: it gets a second name there if the file system has hard links
 * @returns the name; undefined if it got none
 */
export function keepPacked(paths: SlavePaths, lastTid: bigint, kept: string | undefined): string | undefined {
  const from = kept ?? paths.data;
  const inode = factsOfPath(from)?.inode;
  if (inode === undefined) return undefined;
  const before = listed(paths).filter(({ suffix, inode: known }) => factsOfPath(paths.packed(suffix))?.inode === known);
  const suffix = suffixFor(paths, formatTid(lastTid), inode);
  // Names that killed runs have given to the same file.
  const stale = before.filter((each) => each.inode === inode && each.suffix !== suffix);
  for (const each of stale) removeKept(paths.packed(each.suffix));
  write(paths, [...before.filter((each) => each.inode !== inode), { suffix, inode }]);
  const path = paths.packed(suffix);
  const { index, blobs } = besides(path);
  const isThere = factsOfPath(path)?.inode === inode;
  if (!isThere && kept === undefined) linkOrRename(from, path);
  else if (!isThere && !linked(from, path)) return undefined;
  for (const [one, other] of [
    [paths.index, index],
    [paths.blobs, blobs],
  ] as const) {
    removeIfThere(other);
    if (factsOfPath(one)?.kind === 'file') linked(one, other);
  }
  return path;
}

/**
 * Removes all but the newest of the kept files, durably: their blobs are removed after them. The lists of these blobs stay until
 * then.
 */
export function dropPacked(paths: SlavePaths, keep: number): readonly string[] {
  const kept = keptPacked(paths);
  const old = kept.slice(0, Math.max(0, kept.length - keep)).map(({ path }) => path);
  for (const path of old) removeKept(path);
  if (old.length > 0) syncDirectory(paths.directory);
  return old;
}

function removeKept(path: string): void {
  removeIfThere(besides(path).index);
  removeIfThere(path);
}

function besides(path: string): Pick<KeptPacked, 'index' | 'blobs'> {
  return { index: `${path}.index`, blobs: `${path}.blobs` };
}

/** Of the name that a killed run has given to the file, or of the first that is free. */
function suffixFor(paths: SlavePaths, tid: string, inode: string): string {
  for (let number = 0; ; number++) {
    const suffix = number === 0 ? tid : `${tid}.${number}`;
    const there = factsOfPath(paths.packed(suffix));
    if (!there || there.inode === inode) return suffix;
  }
}

function linked(from: string, to: string): boolean {
  try {
    link(from, to);
    return true;
  } catch (error) {
    if (error instanceof IoFault) return false;
    throw error;
  }
}

function listed(paths: SlavePaths): Listed[] {
  const [first, ...lines] = readSmallTextIfAny(paths.packedList, LARGEST).split('\n');
  if (first !== FIRST_LINE) return [];
  return lines.flatMap((line) => {
    const [, suffix, inode] = LINE.exec(line) ?? [];
    return suffix !== undefined && inode !== undefined ? [{ suffix, inode }] : [];
  });
}

function write(paths: SlavePaths, all: readonly Listed[]): void {
  const lines = all.map(({ suffix, inode }) => `${suffix} ${inode}\n`);
  const { uid, gid } = paths.directoryFacts;
  replaceText(paths.packedList, `${FIRST_LINE}\n${lines.join('')}`, { mode: 0o644, uid, gid });
}
