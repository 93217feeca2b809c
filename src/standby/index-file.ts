import { INDEX_HEAD_LENGTH } from '../filestorage/index-layout.js';
import { coveredBy, IndexReader } from '../filestorage/index-reader.js';
import { encodeIndex } from '../filestorage/index-writer.js';
import type { ObjectIndex } from '../filestorage/object-index.js';
import { factsOfPath } from '../io/facts.js';
import { IoFault } from '../io/fault.js';
import { OpenFile } from '../io/open-file.js';
import { durableReplaceByPieces } from '../io/replace.js';
import type { SlavePaths } from './paths.js';

const PIECE = 1 << 20;
/** Mask for the Data.fs's mode. Anyone else who may write to an index could make a server serve other bytes. */
const PERMISSIONS = 0o664;

export type IndexFile =
  /** Position up to which it covers the Data.fs, and the position of each object's newest record. */
  { readonly end: number; readonly index: ObjectIndex } | { readonly missing: true } | { readonly problem: string };

/** Reads a complete `Data.fs.index`. Checks only its format, not whether it fits the Data.fs. */
export function readIndexFile(path: string): IndexFile {
  const file = openIndex(path);
  if (!(file instanceof OpenFile)) return file;
  try {
    const reader = new IndexReader();
    const piece = new Uint8Array(PIECE);
    for (let position = 0; ; ) {
      const length = file.read(piece, PIECE, position);
      reader.feed(piece.subarray(0, length));
      position += length;
      if (length < PIECE || reader.problem) break;
    }
    reader.finish();
    const { problem, end, index } = reader;
    if (problem) return { problem: `${path} is no index as ZODB writes it: ${problem.message} at ${problem.position}` };
    return { end, index };
  } finally {
    file.closeQuietly();
  }
}

/** Position up to which an index file claims to cover its Data.fs, from its first bytes alone. */
export function readCovered(
  path: string,
): { readonly end: number } | { readonly missing: true } | { readonly problem: string } {
  const file = openIndex(path);
  if (!(file instanceof OpenFile)) return file;
  try {
    const head = new Uint8Array(INDEX_HEAD_LENGTH);
    const end = coveredBy(head.subarray(0, file.read(head, head.length, 0)));
    return end === undefined ? { problem: `${path} is no index as ZODB writes it` } : { end };
  } finally {
    file.closeQuietly();
  }
}

function openIndex(path: string): OpenFile | { readonly missing: true } | { readonly problem: string } {
  const kind = factsOfPath(path)?.kind;
  if (kind === undefined) return { missing: true };
  if (kind !== 'file') return { problem: `${path} is a ${kind}, not a file` };
  try {
    return OpenFile.openHereIfThere(path) ?? { missing: true };
  } catch (error) {
    if (error instanceof IoFault) return { problem: error.message };
    throw error;
  }
}

/**
 * Writes the index beside its Data.fs, with that file's owner and permissions. After the return it is durable; after a
 * crash at any moment the path holds the complete old index or the complete new one.
 */
export function writeIndexFile(paths: SlavePaths, index: ObjectIndex, end: number): void {
  writeIndexPieces(paths, encodeIndex(index, end));
}

/** As writeIndexFile, for an index that is already encoded. */
export function writeIndexPieces(paths: SlavePaths, pieces: Iterable<Uint8Array>): void {
  const data = factsOfPath(paths.data);
  if (!data) throw new IoFault('stat', paths.data, 'ENOENT', 'the file that the index is for is gone');
  const { mode, uid, gid } = data;
  durableReplaceByPieces(paths.index, pieces, { mode: mode & PERMISSIONS, uid, gid });
}
