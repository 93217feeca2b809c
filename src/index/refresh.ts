import type { ObjectIndex } from '../filestorage/object-index.js';
import type { ChunkSource } from '../pipeline/chunk-source.js';
import { NOTHING_YET } from '../pipeline/chunk-table.js';
import type { Master } from '../pipeline/master.js';
import type { Resume } from '../pipeline/resume.js';
import type { Window } from '../pipeline/window.js';
import { type ChunkLine, chunkAt } from '../standby/dat.js';
import { readIndexFile } from '../standby/index-file.js';
import { IndexBuilder } from './builder.js';
import { type ChangedChunk, type PassEnd, passOverRecords } from './records-pass.js';
import { sanityOf } from './sanity.js';

/** An index of all complete transactions of a file, not written yet, and how it was obtained. */
export interface MadeIndex extends PassEnd {
  /** `none`: the index file already covers all. */
  readonly action: 'none' | 'refreshed' | 'built';
  readonly index: ObjectIndex;
  /** Bytes of the file that were read. */
  readonly read: number;
  /** Why the existing index file could not be extended. */
  readonly problem: string | undefined;
}

/** No index can be built: the file does not have the copied bytes. An existing index is left as it is. */
export interface NoIndex extends ChangedChunk {
  readonly action: 'changed';
}

/**
 * Makes the index of a file that nobody writes. An index file that FileStorage would accept is extended: only the bytes
 * that it does not cover are read. All bytes are read if there is none, or if a record contradicts it.
 *
 * @param copied the chunks of the file's `.dat`. Bytes of them that are read are compared with their hashes, so no
 * index is built from bytes that a repair will change. For that, the chunk in which the index file ends is read from
 * its beginning.
 */
export async function makeIndex(
  indexPath: string,
  file: Master,
  source: ChunkSource,
  copied: readonly ChunkLine[],
): Promise<MadeIndex | NoIndex> {
  const old = await usableIndex(indexPath, file);
  let { problem } = old;
  let read = 0;
  if (old.from) {
    const builder = new IndexBuilder(old.index, old.from.position);
    const from = await withinChunk(file, source.window, old.from, copied);
    const ended = await passOverRecords(file, source, from, builder, copied);
    if ('changed' in ended) return { ...ended, action: 'changed' };
    const isMore = ended.resume.position > from.position;
    read = isMore ? ended.resume.position - (from.chunks[0]?.start ?? from.position) : 0;
    const usable = !builder.contradicted && !builder.spoiled && ended.stop.kind !== 'damaged';
    if (usable) return { ...ended, action: isMore ? 'refreshed' : 'none', index: old.index, read, problem };
    if (builder.contradicted) problem = 'a record that it does not cover has another previous record than it says';
  }
  const built = await build(file, source, copied);
  if ('changed' in built) return { ...built, action: 'changed' };
  return { ...built.ended, action: 'built', index: built.index, read: read + built.ended.resume.position, problem };
}

/** The first chunk that is known, by its structure or by its hash, not to have the copied bytes. */
export function firstChanged(made: MadeIndex | NoIndex, copied: readonly ChunkLine[]): ChunkLine | undefined {
  if (made.action === 'changed') return made.changed;
  return made.stop.kind === 'damaged' ? chunkAt(copied, made.resume.position) : undefined;
}

async function build(
  file: Master,
  source: ChunkSource,
  copied: readonly ChunkLine[],
): Promise<{ readonly index: ObjectIndex; readonly ended: PassEnd } | ChangedChunk> {
  const builder = new IndexBuilder();
  const ended = await passOverRecords(file, source, NOTHING_YET, builder, copied);
  if ('changed' in ended) return ended;
  if (!builder.spoiled) return { index: builder.index, ended };
  // Read again without the transaction that breaks off, of which too many records were added before it did.
  const again = new IndexBuilder();
  const second = await passOverRecords(file.upTo(ended.resume.position), source, NOTHING_YET, again, copied);
  return 'changed' in second ? second : { index: again.index, ended };
}

/** `from`; in the middle of a chunk, with the hash state of the chunk's bytes before it, which are read for that. */
async function withinChunk(file: Master, window: Window, from: Resume, copied: readonly ChunkLine[]): Promise<Resume> {
  const { position, tid } = from;
  const chunk = position < file.size ? chunkAt(copied, position) : undefined;
  if (!chunk || chunk.start === position) return from;
  window.reset();
  for (let at = chunk.start; at < position; ) {
    const length = await file.read(window, Math.min(window.size, position - at), at);
    // If the file now ends here, the pass detects it.
    if (length === 0) return from;
    window.add(0, length);
    at += length;
  }
  return { position, tid, chunks: [{ ...chunk, end: position }], tailState: window.save() };
}

type Old =
  | { readonly index: ObjectIndex; readonly from: Resume; readonly problem: undefined }
  | { readonly from?: undefined; readonly problem: string | undefined };

async function usableIndex(path: string, file: Master): Promise<Old> {
  const found = readIndexFile(path);
  if ('missing' in found) return { problem: undefined };
  if ('problem' in found) return found;
  const { index, end } = found;
  const tid = await sanityOf(file, index, end);
  if (tid === undefined) return { problem: `${path} does not fit the file` };
  return { index, from: { position: end, tid, chunks: [], tailState: '' }, problem: undefined };
}
