import { BackwardReader } from '../filestorage/backward.js';
import { MAGIC_LENGTH, STATUS_IN_FLIGHT } from '../filestorage/layout.js';
import type { Stop } from '../filestorage/stop.js';
import { ZERO_TID } from '../filestorage/tid.js';
import { NOTHING_YET } from '../pipeline/chunk-table.js';
import type { Resume } from '../pipeline/resume.js';
import { type Readable, scan } from '../pipeline/scan.js';
import { hashOf, verifiedChunks } from '../pipeline/verified.js';
import type { Window } from '../pipeline/window.js';
import type { ChunkLine, Dat } from '../standby/dat.js';

/** The end up to which a slave can be served, found without its master. */
export interface CompleteEnd {
  readonly position: number;
  readonly tid: bigint;
  /** The bytes behind `position`: none, a batch that was never finished, or bytes that are no transaction. */
  readonly rest: 'nothing' | 'unfinished' | 'broken';
  /** The longest run of chunks whose last one matches its checksum; all chunks if nothing is wrong. */
  readonly verified: Resume;
  /** Chunks below `position` that do not match their checksum, although their structure is complete. */
  readonly changed: readonly ChunkLine[];
  /** What was compared with its checksum. */
  readonly checked: 'nothing' | 'the last chunk' | 'all chunks';
}

/**
 * In bytes. A larger last chunk (one giant transaction) is read only if all chunks are: a takeover must not wait for
 * it.
 */
const LARGEST_QUICK = 1 << 29;
/**
 * Bytes to read backwards in search of the beginning of an unfinished batch, if there is no `.dat`. A batch is up to
 * 256 MiB plus the chunk that filled it: up to 32 MiB, unless --chunk-size sets another size, and one transaction of
 * any size. So the limit counts the bytes read, not the distance: of a large transaction only both ends are read.
 */
const BATCH_REACH = 1 << 29;
const READ_OF_LARGE = 1 << 17;

/**
 * Finds the end of what can be served. Checksums verify the last chunk, or all chunks. FileStorage's own rule applies
 * behind the claim: a batch becomes visible only when all of it is durable. So complete transactions there are a
 * finished batch that was not published, or commits of a server on this file.
 *
 * If the last chunk does not match its checksum, its transactions are kept as far as their structure is complete. One
 * object may be damaged, but dropping the chunk would lose all of them.
 */
export async function findCompleteEnd(
  file: Readable,
  dat: Dat | undefined,
  window: Window,
  all: boolean,
): Promise<CompleteEnd> {
  if (!dat || dat.chunks.length === 0) return all ? judgeFrom(file, NOTHING_YET, window) : endWithoutDat(file, window);
  const quick = !all && isLarge(dat.chunks.at(-1)) && dat.claim.position <= file.size;
  const verified = quick ? resumeAt(dat, dat.chunks.length) : await lastGood(file, dat, window);
  const found = await judgeFrom(file, verified, window);
  const suspects = dat.chunks.slice(verified.chunks.length).filter(({ end }) => end <= found.position);
  const earlier = all ? await changedAmong(file, verified.chunks.slice(0, -1), window) : [];
  const checked = all ? 'all chunks' : quick ? 'nothing' : 'the last chunk';
  return { ...found, changed: [...earlier, ...suspects], checked };
}

function isLarge(chunk: ChunkLine | undefined): boolean {
  return chunk !== undefined && chunk.end - chunk.start > LARGEST_QUICK;
}

function resumeAt(dat: Dat, count: number): Resume {
  const chunks = dat.chunks.slice(0, count);
  const last = chunks.at(-1);
  if (!last) return NOTHING_YET;
  const tailState = count === dat.chunks.length ? dat.tailState : '';
  return { position: last.end, tid: last.lastTid, chunks, tailState };
}

/** The longest run of chunks whose last one is present and matches its checksum. */
async function lastGood(file: Readable, dat: Dat, window: Window): Promise<Resume> {
  const count = await verifiedChunks(file, dat.chunks, window);
  return count === 0 ? NOTHING_YET : { ...resumeAt(dat, count), tailState: window.save() };
}

async function changedAmong(file: Readable, chunks: readonly ChunkLine[], window: Window): Promise<ChunkLine[]> {
  const changed: ChunkLine[] = [];
  for (const chunk of chunks) if ((await hashOf(file, chunk, window)) !== chunk.hash) changed.push(chunk);
  return changed;
}

async function judgeFrom(file: Readable, from: Resume, window: Window): Promise<CompleteEnd> {
  const walk = await scan(file, window, from.position, from.tid);
  const tid = walk.transactions > 0 ? walk.lastTid : from.tid;
  const rest = restOf(walk.stop);
  return { position: walk.end, tid, rest, verified: from, changed: [], checked: 'nothing' };
}

function restOf(stop: Stop | undefined): CompleteEnd['rest'] {
  if (stop?.kind === 'in-flight') return 'unfinished';
  return stop === undefined || stop.kind === 'end' || stop.kind === 'cut' ? 'nothing' : 'broken';
}

/** Without a `.dat` the newest transactions are read backwards. The whole file is read only if they do not end it. */
async function endWithoutDat(file: Readable, window: Window): Promise<CompleteEnd> {
  const none = { verified: NOTHING_YET, changed: [], checked: 'nothing' } as const;
  if (file.size === MAGIC_LENGTH) return { ...none, position: MAGIC_LENGTH, tid: ZERO_TID, rest: 'nothing' };
  const reader = new BackwardReader(file);
  let end = file.size;
  let unfinished: number | undefined;
  let tid: bigint | undefined;
  let read = 0;
  while (end > MAGIC_LENGTH && read < BATCH_REACH) {
    const found = await reader.endingAt(end);
    if (!found) return judgeFrom(file, NOTHING_YET, window);
    if (found.status === STATUS_IN_FLIGHT) {
      unfinished = found.position;
      tid = undefined;
    } else tid ??= found.tid;
    read += Math.min(found.end - found.position, READ_OF_LARGE);
    end = found.position;
  }
  if (unfinished === undefined) return { ...none, position: file.size, tid: tid ?? ZERO_TID, rest: 'nothing' };
  const before = tid ?? (await reader.endingAt(unfinished))?.tid ?? ZERO_TID;
  return { ...none, position: unfinished, tid: before, rest: 'unfinished' };
}
