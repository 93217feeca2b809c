import { MAGIC_LENGTH, magicOf } from '../filestorage/layout.js';
import { removeIfThere, syncDirectory } from '../io/directory.js';
import { OpenFile } from '../io/open-file.js';
import type { ChunkSource } from '../pipeline/chunk-source.js';
import type { Damage, Rot } from '../pipeline/damage.js';
import { Master } from '../pipeline/master.js';
import type { ReadDeadline } from '../pipeline/read-deadline.js';
import { isPlainlyInFlight, judgeTail, type MasterEnd } from '../pipeline/tail.js';
import type { ChunkLine } from '../standby/dat.js';
import { writeIndexFile } from '../standby/index-file.js';
import type { SlavePaths } from '../standby/paths.js';
import { type MadeIndex, makeIndex } from './refresh.js';
import { copiedChunks } from './slave-index.js';

/** The outcome of indexing a file. */
export type FileIndexed =
  /** `tail`: what follows the last complete transaction of the file. FileStorage cuts it off. */
  | { readonly kind: 'done'; readonly made: MadeIndex; readonly size: number; readonly tail: MasterEnd['kind'] }
  | { readonly kind: 'damaged'; readonly damage: Damage | Rot }
  | { readonly kind: 'unfit'; readonly reason: string };

/**
 * Builds or refreshes the index beside a Data.fs. The caller holds the file's lock.
 *
 * Write order: make the file durable, and its name, which a killed rebuild may have left in memory only; then write the
 * index, which must not outlive the bytes that it covers. Nothing is written if the index already covers all, or if no
 * transaction has a record, because ZODB does not open such a file beside an index. A damaged file gets no index: one
 * that breaks a rule of the format, or a slave without the bytes that its `.dat` records as copied.
 */
export async function indexFile(paths: SlavePaths, source: ChunkSource, deadline: ReadDeadline): Promise<FileIndexed> {
  const file = await Master.open(paths.data, deadline);
  if (!file) return { kind: 'unfit', reason: `${paths.data} does not exist` };
  try {
    const magic = new Uint8Array(MAGIC_LENGTH);
    if ((await file.readBytes(magic, 0)) < MAGIC_LENGTH || magicOf(magic) === undefined)
      return { kind: 'unfit', reason: `${paths.data} is not a Data.fs: it does not begin with FS21 or FS30` };
    const made = await makeIndex(paths.index, file, source, copiedChunks(paths, file.facts.inode));
    if (made.action === 'changed') return { kind: 'damaged', damage: damageOf(made.changed, file) };
    const end = await tailOf(made, file, source);
    if (end.kind === 'damaged') return { kind: 'damaged', damage: end.damage };
    if (made.index.size === 0) {
      removeIfThere(paths.index);
      return { kind: 'done', made: { ...made, action: 'none' }, size: file.size, tail: end.kind };
    }
    if (made.action !== 'none') {
      makeDurable(paths.data);
      syncDirectory(paths.directory);
      writeIndexFile(paths, made.index, made.resume.position);
    }
    return { kind: 'done', made, size: file.size, tail: end.kind };
  } finally {
    file.close();
  }
}

function damageOf(chunk: ChunkLine, file: Master): Rot {
  const { start: position, end, firstTid: tid } = chunk;
  const message =
    end > file.size
      ? `its .dat claims ${end} bytes, it has ${file.size}`
      : `its bytes ${position} to ${end} are not those that were copied`;
  return { position, at: Math.min(position, file.size), tid, rule: 'hash', message };
}

async function tailOf({ stop, resume }: MadeIndex, file: Master, source: ChunkSource): Promise<MasterEnd> {
  if (stop.kind === 'end') return { kind: 'clean' };
  if (stop.kind === 'in-flight' && (await isPlainlyInFlight(stop, file))) return stop;
  return judgeTail(stop, file, source.window, resume.tid);
}

function makeDurable(path: string): void {
  const file = OpenFile.openHere(path);
  try {
    file.sync();
  } finally {
    file.close();
  }
}
