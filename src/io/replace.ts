import { dirname } from 'node:path';
import { removeIfThere, rename, syncDirectory } from './directory.js';
import { IoFault } from './fault.js';
import { OpenFile } from './open-file.js';
import type { Ownership } from './ownership.js';

export type { Ownership } from './ownership.js';

/**
 * Replaces a small text file so that after a crash at any moment the path holds either the complete old text or the
 * complete new one, and after the return the new one: temporary file, fsync, rename, fsync of the directory.
 */
export function durableReplace(path: string, text: string, ownership: Ownership, temporary = temporaryOf(path)): void {
  durableReplaceByPieces(path, [Buffer.from(text, 'utf8')], ownership, temporary);
}

/** As durableReplace, except that the rename becomes durable with the caller's next sync of the directory. */
export function replaceSynced(path: string, text: string, ownership: Ownership): void {
  replaceByPieces(path, [Buffer.from(text, 'utf8')], ownership, temporaryOf(path));
}

/** As durableReplace, for contents generated in pieces. The iterator may reuse a piece's memory for the next piece. */
export function durableReplaceByPieces(
  path: string,
  pieces: Iterable<Uint8Array>,
  ownership: Ownership,
  temporary = temporaryOf(path),
): void {
  replaceByPieces(path, pieces, ownership, temporary);
  syncDirectory(dirname(path));
}

/** As durableReplaceByPieces, except that the rename becomes durable with the caller's next sync of the directory. */
export function replaceByPieces(
  path: string,
  pieces: Iterable<Uint8Array>,
  ownership: Ownership,
  temporary: string,
): void {
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
 * Atomically replaces a small text file for its readers, without making it durable: for files rewritten every minute,
 * which need not survive a crash.
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

/** Temporary name for replacements under a lock. A killed run may leave the file behind; the next run removes it. */
export function temporaryOf(path: string): string {
  return `${path}.tmp`;
}

/**
 * A temporary name unique to this process, for files that several processes may write without a lock: with a shared
 * name, one process would rename another's unfinished file into place.
 */
export function ownTemporaryOf(path: string): string {
  return `${path}.${process.pid}.tmp`;
}

/** Sets owner and group, then the mode, because chown clears set-id bits. Sets owner and group only where permitted. */
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

/** As readSmallText, but '' for whatever cannot be read as well: for files whose loss costs nothing but work. */
export function readSmallTextIfAny(path: string, limit: number): string {
  try {
    return readSmallText(path, limit) ?? '';
  } catch (error) {
    if (error instanceof IoFault) return '';
    throw error;
  }
}

/** The text of a small file; undefined when it does not exist. Throws a fault (EFBIG) for more than `limit` bytes. */
export function readSmallText(path: string, limit: number): string | undefined {
  const bytes = readSmallBytes(path, limit);
  return bytes && Buffer.from(bytes).toString('utf8');
}

/** As readSmallText, for a reader that checks the encoding. */
export function readSmallBytes(path: string, limit: number): Uint8Array | undefined {
  const file = OpenFile.openHereIfThere(path);
  if (!file) return undefined;
  try {
    const { size, kind } = file.facts();
    if (kind !== 'file') throw new IoFault('read', path, 'EISDIR', `it is a ${kind}, not a file`);
    if (size > limit) throw new IoFault('read', path, 'EFBIG', `${size} bytes, expected at most ${limit}`);
    const bytes = new Uint8Array(size);
    return bytes.subarray(0, file.read(bytes, size, 0));
  } finally {
    file.close();
  }
}
