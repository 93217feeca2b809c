import { removeIfThere, rename, syncDirectory } from '../io/directory.js';
import { factsOfPath } from '../io/facts.js';
import { IoFault } from '../io/fault.js';
import { OpenFile } from '../io/open-file.js';
import { applyOwnership } from '../io/replace.js';
import type { BlobsClaim } from '../standby/blobs-claim.js';
import { packedManifests } from '../standby/kept-packed.js';
import { PathMistake, type SlavePaths } from '../standby/paths.js';
import type { BlobId } from './layout.js';
import {
  type Copy,
  decodeManifest,
  encodeManifest,
  entriesUnder,
  ITEM,
  isSeal,
  type Manifest,
  NO_SEAL,
  readEntries,
  readSeal,
  type Seal,
  sealed,
} from './manifest.js';

const MODE = 0o644;
/** More than this is read only of what a claim describes: the file may be anything. */
const MOST_UNCLAIMED = 1 << 28;

/** What can be read of a manifest: all that its seals prove. An empty one where there is no file. */
export function readManifest(path: string, length = MOST_UNCLAIMED): ReturnType<typeof decodeManifest> {
  const file = openIfFile(path);
  if (!file) return decodeManifest(new Uint8Array());
  try {
    const bytes = new Uint8Array(Math.min(file.facts().size, length));
    return decodeManifest(bytes.subarray(0, file.read(bytes, bytes.length, 0)));
  } finally {
    file.closeQuietly();
  }
}

/** The manifest that a claim describes; undefined where the file is not the one, or its bytes have changed. */
export function claimedManifest(path: string, claim: BlobsClaim): Manifest | undefined {
  const { manifest, length, seal } = readManifest(path, claim.length);
  return length === claim.length && hashOf(seal) === claim.hash ? manifest : undefined;
}

/** The seal at the end of what a claim describes, by one short read; undefined where the file is not the one. */
export function sealOf(path: string, claim: BlobsClaim): Seal | undefined {
  const file = openIfFile(path);
  if (!file) return undefined;
  try {
    const bytes = new Uint8Array(ITEM);
    const count = claim.length >= ITEM ? file.read(bytes, ITEM, claim.length - ITEM) : 0;
    const seal = readSeal(bytes.subarray(0, count));
    return seal && hashOf(seal) === claim.hash ? seal : undefined;
  } finally {
    file.closeQuietly();
  }
}

/** The entries that the batch before the claim's last seal added; undefined where the file is not the one. */
export function lastBatchOf(path: string, claim: BlobsClaim): (readonly [BlobId, Copy])[] | undefined {
  const file = sealOf(path, claim) ? openIfFile(path) : undefined;
  if (!file) return undefined;
  try {
    const item = new Uint8Array(ITEM);
    file.read(item, ITEM, claim.length - ITEM);
    const count = Math.min(entriesUnder(item), claim.length / ITEM - 1);
    const bytes = new Uint8Array(count * ITEM);
    const length = file.read(bytes, bytes.length, claim.length - ITEM - bytes.length);
    return readEntries(bytes.subarray(0, length));
  } finally {
    file.closeQuietly();
  }
}

/** Items of a manifest from number `item` on: entries, and undefined for a seal. */
export function readItems(path: string, item: number, count: number): readonly (readonly [BlobId, Copy] | undefined)[] {
  const file = count > 0 ? openIfFile(path) : undefined;
  if (!file) return [];
  try {
    const bytes = new Uint8Array(count * ITEM);
    const entries = readEntries(bytes.subarray(0, file.read(bytes, bytes.length, item * ITEM)));
    return entries.map((entry) => (isSeal(entry[0]) ? undefined : entry));
  } finally {
    file.closeQuietly();
  }
}

export function hashOf(seal: Seal): string {
  return seal.hash.toString(16).padStart(16, '0');
}

/** Writes a complete manifest under a name that nothing refers to yet. Its name is durable with the next sync of the directory. */
export function writeManifest(path: string, manifest: Manifest, paths: SlavePaths, directory: string): BlobsClaim {
  removeIfThere(path);
  const file = OpenFile.createNew(path);
  try {
    let position = 0;
    let last = NO_SEAL;
    for (const piece of encodeManifest(manifest, (seal) => (last = seal))) {
      file.write(piece, position);
      position += piece.length;
    }
    const { uid, gid } = paths.directoryFacts;
    applyOwnership(file, { mode: MODE, uid, gid });
    file.sync();
    const { count, bytes, missing } = manifest;
    return { length: position, hash: hashOf(last), count, bytes, missing, directory };
  } finally {
    file.close();
  }
}

/**
 * Appends to a manifest.
 *
 * Invariants: nothing before `length` is ever written, and what an unfinished batch left behind it is cut off first.
 * After `append` returns, the entries and their seal are durable.
 */
export class ManifestWriter {
  private constructor(
    private readonly file: OpenFile,
    private length: number,
    private seal: Seal,
  ) {}

  /** Continues what a claim describes; undefined where the file is not the one. */
  static continue(path: string, claim: BlobsClaim): ManifestWriter | undefined {
    const seal = sealOf(path, claim);
    if (!seal) return undefined;
    const file = OpenFile.openToWrite(path);
    if (file.facts().size > claim.length) file.truncate(claim.length);
    return new ManifestWriter(file, claim.length, seal);
  }

  /** Continues a journal as far as its seals prove it, or begins one. */
  static journal(path: string, paths: SlavePaths): ManifestWriter {
    const { length, seal } = readManifest(path);
    if (length > 0) {
      const file = OpenFile.openToWrite(path);
      if (file.facts().size > length) file.truncate(length);
      return new ManifestWriter(file, length, seal);
    }
    removeIfThere(path);
    const file = OpenFile.createNew(path);
    const { uid, gid } = paths.directoryFacts;
    applyOwnership(file, { mode: MODE, uid, gid });
    syncDirectory(paths.directory);
    return new ManifestWriter(file, 0, NO_SEAL);
  }

  append(entries: readonly (readonly [BlobId, Copy])[]): { readonly length: number; readonly hash: string } {
    const { bytes, seal } = sealed(entries, this.seal);
    this.file.write(bytes, this.length);
    this.file.sync();
    this.length += bytes.length;
    this.seal = seal;
    return { length: this.length, hash: hashOf(seal) };
  }

  close(): void {
    this.file.close();
  }
}

/**
 * Gives the manifest that a claim describes its name: a run that was killed behind its swap leaves it under the name
 * that it had until then. The caller holds the slave's lock.
 */
export function settleManifest(paths: SlavePaths, claim: BlobsClaim | undefined): void {
  if (!claim || sealOf(paths.blobs, claim) || !sealOf(paths.freshBlobs, claim)) return;
  // The `.dat` that leads here may be in memory only; the manifest of the one before must exist as long as that does.
  syncDirectory(paths.directory);
  rename(paths.freshBlobs, paths.blobs);
}

/** Every blob that some manifest of this slave proves to be copied. */
export function allManifests(paths: SlavePaths): Manifest {
  const all = readManifest(paths.blobsBefore).manifest;
  for (const path of [...packedManifests(paths), paths.blobs, paths.freshBlobs, paths.blobsJournal]) {
    const { manifest } = readManifest(path);
    let number = 0;
    for (const id of manifest.ids) all.set(id, manifest.copyAt(number++));
  }
  return all;
}

/** Throws PathMistake where a directory is in a manifest's place: no manifest could replace it. */
export function refuseDirectories({ blobs, freshBlobs, blobsJournal, blobsBefore }: SlavePaths): void {
  for (const path of [blobs, freshBlobs, blobsJournal, blobsBefore]) {
    if (factsOfPath(path)?.kind === 'directory')
      throw new PathMistake(`${path} is a directory`, 'remove it: that is the name of the list of blobs');
  }
}

function openIfFile(path: string): OpenFile | undefined {
  try {
    const file = OpenFile.openHereIfThere(path);
    if (file?.facts().kind === 'file') return file;
    file?.closeQuietly();
    return undefined;
  } catch (error) {
    // A link, or no rights: the caller makes a new one, or fails when it writes.
    if (error instanceof IoFault && (error.code === 'ELOOP' || error.code === 'EACCES')) return undefined;
    throw error;
  }
}
