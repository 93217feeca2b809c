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

/** Up to where a slave can be served, judged without its master. */
export interface CompleteEnd {
  readonly position: number;
  readonly tid: bigint;
  /** What follows: nothing, a batch that was never finished, or bytes that are no transaction. */
  readonly rest: 'nothing' | 'unfinished' | 'broken';
  /** The longest run of chunks whose last one is as it was copied; all of them where nothing is wrong. */
  readonly verified: Resume;
  /** Pieces below `position` that are not what was copied, although their structure is whole. */
  readonly changed: readonly ChunkLine[];
  /** What was compared with its checksum. */
  readonly checked: 'nothing' | 'the last chunk' | 'all chunks';
}

/** A last chunk that is larger (one giant transaction) is not read again unless all is: a takeover must not wait for it. */
const LARGEST_QUICK = 1 << 29;
/**
 * Without a `.dat` so much is read backwards for the beginning of an unfinished batch. A batch is up to 256 MiB, and the chunk
 * that filled it: up to 32 MiB, unless --chunk-size says otherwise, and one transaction of any size. So what counts is what is
 * read, not how far back it lies: of a large transaction only both ends are.
 */
const BATCH_REACH = 1 << 29;
const READ_OF_LARGE = 1 << 17;

/**
 * Finds the end of what can be served. Chunks are proved by their checksums: the last one, or all of them. What follows the
 * claim is judged by FileStorage's own rule: a batch becomes visible only when all of it is durable, so whole
 * transactions there are a batch that was finished and not published, or what a server has committed here.
 *
 * Where the last chunk is not what was copied, its transactions are kept as far as their structure is whole: one
 * object may be damaged, and to fall back would lose them all.
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

/** The longest run of chunks whose last one is there and matches its checksum. */
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

/** Nothing is known of the file: its newest transactions are looked at, all of it only where they do not end it. */
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
