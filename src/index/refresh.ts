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

/** An index of all whole transactions of a file, which is not written yet, and how it was come by. */
export interface MadeIndex extends PassEnd {
  /** `none`: the one that is there covers all already. */
  readonly action: 'none' | 'refreshed' | 'built';
  readonly index: ObjectIndex;
  /** Bytes of the file that were read. */
  readonly read: number;
  /** Why the index file that was there could not be gone on with. */
  readonly problem: string | undefined;
}

/** No index can be made: the file does not have the bytes that were copied. An index that was there is left as it is. */
export interface NoIndex extends ChangedChunk {
  readonly action: 'changed';
}

/**
 * Makes the index of a file that nobody writes. An index file that FileStorage would take is gone on with: only what it does
 * not cover is read. Everything is read where there is none, and where a record contradicts it.
 *
 * @param copied the chunks of the file's `.dat`: what is read of them is compared with their hashes while it is read, and so
 *   no index is made of bytes that a repair is going to change. The chunk in which the index file ends is read from its
 *   beginning for that.
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
    const sound = !builder.contradicted && !builder.spoiled && ended.stop.kind !== 'damaged';
    if (sound) return { ...ended, action: isMore ? 'refreshed' : 'none', index: old.index, read, problem };
    if (builder.contradicted) problem = 'a record that it does not cover has another previous record than it says';
  }
  const built = await build(file, source, copied);
  if ('changed' in built) return { ...built, action: 'changed' };
  return { ...built.ended, action: 'built', index: built.index, read: read + built.ended.resume.position, problem };
}

/** The first chunk that is known to have other bytes than those that were copied, be it by its structure or its hash. */
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
  // Without the transaction that breaks off, of which too many records were told before it did.
  const again = new IndexBuilder();
  const second = await passOverRecords(file.upTo(ended.resume.position), source, NOTHING_YET, again, copied);
  return 'changed' in second ? second : { index: again.index, ended };
}

/** `from`, and where it is in the middle of a chunk the hash state of that chunk's beginning, which is read for it. */
async function withinChunk(file: Master, window: Window, from: Resume, copied: readonly ChunkLine[]): Promise<Resume> {
  const { position, tid } = from;
  const chunk = position < file.size ? chunkAt(copied, position) : undefined;
  if (!chunk || chunk.start === position) return from;
  window.reset();
  for (let at = chunk.start; at < position; ) {
    const length = await file.read(window, Math.min(window.size, position - at), at);
    // A file that ends here by now is found out by the pass.
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
