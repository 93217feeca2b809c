import type { ObjectIndex } from '../filestorage/object-index.js';
import { readIndexFile } from '../standby/index-file.js';
import type { ChunkSource } from './chunk-source.js';
import { NOTHING_YET } from './chunk-table.js';
import type { Resume } from './facts.js';
import { IndexBuilder } from './index-builder.js';
import { sanityOf } from './index-sanity.js';
import type { Master } from './master.js';
import { type PassEnd, passOverRecords } from './records-pass.js';

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

/**
 * Makes the index of a file that nobody writes. An index file that FileStorage would take is gone on with: only what it does
 * not cover is read. Everything is read where there is none, and where a record contradicts it.
 */
export async function makeIndex(indexPath: string, file: Master, source: ChunkSource): Promise<MadeIndex> {
  const old = await soundIndex(indexPath, file);
  let { problem } = old;
  let read = 0;
  if (old.from) {
    const builder = new IndexBuilder(old.index, old.from.position);
    const ended = await passOverRecords(file, source, old.from, builder, { hashed: false });
    read = ended.resume.position - old.from.position;
    const sound = !builder.contradicted && !builder.spoiled && ended.stop.kind !== 'damaged';
    if (sound) return { ...ended, action: read > 0 ? 'refreshed' : 'none', index: old.index, read, problem };
    if (builder.contradicted) problem = 'a record that it does not cover has another previous record than it says';
  }
  const { index, ended } = await build(file, source);
  return { ...ended, action: 'built', index, read: read + ended.resume.position, problem };
}

async function build(
  file: Master,
  source: ChunkSource,
): Promise<{ readonly index: ObjectIndex; readonly ended: PassEnd }> {
  const builder = new IndexBuilder();
  const ended = await passOverRecords(file, source, NOTHING_YET, builder, { hashed: false });
  if (!builder.spoiled) return { index: builder.index, ended };
  // Without the transaction that breaks off, of which too many records were told before it did.
  const again = new IndexBuilder();
  await passOverRecords(file.upTo(ended.resume.position), source, NOTHING_YET, again, { hashed: false });
  return { index: again.index, ended };
}

type Old =
  | { readonly index: ObjectIndex; readonly from: Resume; readonly problem: undefined }
  | { readonly from?: undefined; readonly problem: string | undefined };

async function soundIndex(path: string, file: Master): Promise<Old> {
  const found = readIndexFile(path);
  if ('missing' in found) return { problem: undefined };
  if ('problem' in found) return found;
  const { index, end } = found;
  const tid = await sanityOf(file, index, end);
  if (tid === undefined) return { problem: `${path} does not fit the file` };
  return { index, from: { position: end, tid, chunks: [], tailState: '' }, problem: undefined };
}
