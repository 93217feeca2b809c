import { dirname } from 'node:path';
import { removeIfThere, rename, syncDirectory } from './directory.js';
import { IoFault } from './fault.js';
import { OpenFile } from './open-file.js';

export interface Ownership {
  readonly mode: number;
  /** Left as it is where the system does not let us give files away. */
  readonly uid?: number;
  readonly gid?: number;
}

/**
 * Replaces a small text file so that after any crash the path holds the whole old text or the whole new one, and after
 * the return the new one: temporary file, fsync, rename, fsync of the directory.
 */
export function durableReplace(path: string, text: string, ownership: Ownership, temporary = temporaryOf(path)): void {
  durableReplaceByPieces(path, [Buffer.from(text, 'utf8')], ownership, temporary);
}

/** As durableReplace, but the name is made durable by the caller's next sync of the directory. */
export function replaceSynced(path: string, text: string, ownership: Ownership): void {
  replaceByPieces(path, [Buffer.from(text, 'utf8')], ownership, temporaryOf(path));
}

/** As durableReplace, for a file that is made piece by piece; each piece may be used again when the next one is asked for. */
export function durableReplaceByPieces(
  path: string,
  pieces: Iterable<Uint8Array>,
  ownership: Ownership,
  temporary = temporaryOf(path),
): void {
  replaceByPieces(path, pieces, ownership, temporary);
  syncDirectory(dirname(path));
}

function replaceByPieces(path: string, pieces: Iterable<Uint8Array>, ownership: Ownership, temporary: string): void {
  removeIfThere(temporary);
  const file = OpenFile.createNew(temporary);
  try {
    let position = 0;
    for (const piece of pieces) {
      file.write(piece, position);
      position += piece.length;
    }
    applyOwnership(file, ownership);
    file.sync();
    rename(temporary, path);
  } catch (error) {
    removeIfThere(temporary);
    throw error;
  } finally {
    file.close();
  }
}

/**
 * Replaces a small text file in one step for those who read it, and no more than that: what is written anew every minute
 * need not outlive a crash.
 */
export function replaceText(path: string, text: string, ownership: Ownership, temporary = temporaryOf(path)): void {
  removeIfThere(temporary);
  const file = OpenFile.createNew(temporary);
  try {
    file.write(Buffer.from(text, 'utf8'), 0);
    applyOwnership(file, ownership);
    rename(temporary, path);
  } catch (error) {
    removeIfThere(temporary);
    throw error;
  } finally {
    file.close();
  }
}

/** The name under which the holder of a lock makes a replacement; a killed run may leave it behind, and the next removes it. */
export function temporaryOf(path: string): string {
  return `${path}.tmp`;
}

/**
 * A temporary name of this process alone, for what several may write at the same time without a lock: with a common name one
 * would give the path the other's unfinished file.
 */
export function ownTemporaryOf(path: string): string {
  return `${path}.${process.pid}.tmp`;
}

/** Sets owner, group and mode, in this order: chown clears set-id bits. Owner and group only where rights allow. */
export function applyOwnership(file: OpenFile, ownership: Ownership): void {
  const now = file.facts();
  const uid = ownership.uid ?? now.uid;
  const gid = ownership.gid ?? now.gid;
  if (uid !== now.uid || gid !== now.gid) {
    if (process.getuid?.() === 0) file.setOwner(uid, gid);
    else if (gid !== now.gid && (process.getgroups?.() ?? []).includes(gid)) file.setOwner(now.uid, gid);
  }
  file.setMode(ownership.mode);
}

/** The text of a small file; undefined when it is missing. Larger than `limit` bytes is a fault (EFBIG). */
export function readSmallText(path: string, limit: number): string | undefined {
  const file = OpenFile.openHereIfThere(path);
  if (!file) return undefined;
  try {
    const { size, kind } = file.facts();
    if (kind !== 'file') throw new IoFault('read', path, 'EISDIR', `it is a ${kind}, not a file`);
    if (size > limit) throw new IoFault('read', path, 'EFBIG', `${size} bytes, expected at most ${limit}`);
    const bytes = new Uint8Array(size);
    return Buffer.from(bytes.subarray(0, file.read(bytes, size, 0))).toString('utf8');
  } finally {
    file.close();
  }
}
