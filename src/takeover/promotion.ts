import { hostname } from 'node:os';
import { MAGIC_LENGTH, magicOf } from '../filestorage/layout.js';
import { syncDirectory } from '../io/directory.js';
import { OpenFile } from '../io/open-file.js';
import { readableFile } from '../pipeline/scan.js';
import type { Window } from '../pipeline/window.js';
import type { ChunkLine, Dat } from '../standby/dat.js';
import { publishDat } from '../standby/dat-file.js';
import type { SlavePaths } from '../standby/paths.js';
import type { Promotion, RoleFacts } from '../standby/role.js';
import { publishRole } from '../standby/role-file.js';
import { type CompleteEnd, findCompleteEnd } from './complete-end.js';
import { keepCutBytes } from './cut-bytes.js';
import { coverMore, fitIndex, type IndexLimits } from './promotion-index.js';

/** The file holds nothing that could be served. */
export class NothingToServe extends Error {
  override readonly name = 'NothingToServe';
}

export interface SettleOptions {
  /** Compare all chunks with their checksums, not only the last one. */
  readonly all: boolean;
  /** When the takeover waits for an index to be built. The default covers what FileStorage scans slowly. */
  readonly indexLimits?: IndexLimits | undefined;
}

/** What a promotion found in the slave's file and changed. */
export interface Settled {
  readonly position: number;
  readonly tid: bigint;
  readonly cut: Cut | undefined;
  /** What the `.dat` may continue to claim. */
  readonly known: Pick<Dat, 'claim' | 'chunks' | 'tailState'>;
  /** Tid of the last claimed transaction, if claimed transactions are missing. */
  readonly lostClaim: bigint | undefined;
  readonly changed: readonly ChunkLine[];
  readonly checked: CompleteEnd['checked'];
  /** Bytes that ZEO has to scan when it starts, because no index covers them. */
  readonly uncovered: number;
}

/** Bytes that were cut off the slave's end. */
export interface Cut {
  readonly bytes: number;
  /** They were a batch that was never finished: transactions of the master. */
  readonly unfinished: boolean;
  /** Path of their copy, if they were anything else. */
  readonly keptAs: string | undefined;
}

/**
 * Makes the slave's file fit to be served. The caller holds its lock, and publishes the role afterwards.
 *
 * Write order: make durable the directory entries that a killed run left, together with a copy of the bytes to be cut
 * off (unless they are an unfinished batch); cut; make the file durable, because a kept batch may be in memory only;
 * write the index. If the process is killed at any point, the next promotion starts over and finds the same end.
 */
export async function settle(
  paths: SlavePaths,
  dat: Dat | undefined,
  window: Window,
  { all, indexLimits }: SettleOptions,
): Promise<Settled> {
  const file = OpenFile.openToWrite(paths.data);
  try {
    checkMagic(file);
    const readable = readableFile(file);
    const found = await findCompleteEnd(readable, dat, window, all);
    const bytes = readable.size - found.position;
    if (found.position === MAGIC_LENGTH && bytes > 0 && found.rest === 'broken')
      throw new NothingToServe(`${paths.data} holds no complete transaction at its beginning`);
    const keptAs = bytes > 0 && found.rest === 'broken' ? keepCutBytes(file, found.position, paths) : undefined;
    const covered = fitIndex(paths, found.position);
    syncDirectory(paths.directory);
    if (bytes > 0) file.truncate(found.position);
    file.sync();
    const copied = (dat?.chunks ?? []).filter(({ end }) => end <= found.position);
    const index = await coverMore(paths, found.position, covered, window, copied, indexLimits);
    const isComplete = dat !== undefined && found.position >= dat.claim.position;
    const { verified } = found;
    return {
      position: found.position,
      tid: found.tid,
      cut: bytes > 0 ? { bytes, unfinished: found.rest === 'unfinished', keptAs } : undefined,
      known: isComplete ? dat : { ...verified, claim: { position: verified.position, tid: verified.tid } },
      lostClaim: dat && !isComplete ? dat.claim.tid : undefined,
      changed: withChunk(found.changed, index.changed),
      checked: found.checked,
      uncovered: found.position - index.covered,
    };
  } finally {
    file.close();
  }
}

/**
 * Publishes that this slave serves from now on, in a new term, which is above all that it has seen: no sync writes to it
 * again.
 *
 * Write order: the role, which decides everything. The `.dat` stays as a record of what was copied. If some of that is
 * missing, a shorter `.dat` is written after the role. If the process is killed in between, the `.dat` claims what it
 * did before.
 */
export function publishPromotion(
  paths: SlavePaths,
  settled: Settled,
  dat: Dat | undefined,
  before: RoleFacts,
  { term, ...promotion }: Promotion & { readonly term: number },
): void {
  const { position, tid, at } = promotion;
  const line = { term, position, tid, at, host: hostname(), command: 'promote', unused: false };
  publishRole(paths, { ...before, role: 'master', terms: [...before.terms, line], promotion });
  if (!dat || settled.lostClaim === undefined) return;
  const { claim, chunks, tailState } = settled.known;
  publishDat(paths, { master: dat.master, slaveInode: dat.slaveInode, claim, tailState, torn: undefined, chunks });
}

/** The chunks in file order, with `more` inserted if it is not among them. */
function withChunk(chunks: readonly ChunkLine[], more: ChunkLine | undefined): readonly ChunkLine[] {
  if (!more || chunks.some(({ start }) => start === more.start)) return chunks;
  return [...chunks, more].sort((one, other) => one.start - other.start);
}

function checkMagic(file: OpenFile): void {
  const bytes = new Uint8Array(MAGIC_LENGTH);
  const magic = file.read(bytes, MAGIC_LENGTH, 0) < MAGIC_LENGTH ? undefined : magicOf(bytes);
  if (magic === undefined)
    throw new NothingToServe(`${file.path} is not a Data.fs: it does not begin with FS21 or FS30`);
}
