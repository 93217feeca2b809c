import { MAGIC_LENGTH, type Magic } from '../filestorage/layout.js';
import { formatTid, ZERO_TID } from '../filestorage/tid.js';
import { checksum } from '../io/checksum.js';
import { BLOBS_LINE, type BlobsClaim, formatBlobsClaim, readBlobsClaim } from './blobs-claim.js';
import { type Promotion, readPromotion } from './role.js';
import { LineReader, Misfit, wholeNumber } from './strict-lines.js';

/**
 * The `.dat`: what is known about the slave. Text, replaced atomically, parsed strictly.
 *
 * ```
 * syncpozo 3
 * master DEVICE INODE SIZE MTIME_NS MAGIC
 * slave INODE
 * claim POSITION TID
 * tail STATE                                   XXH64 state of the last chunk, to resume from; - without chunks
 * copied POSITION                              start of the run that last copied something; missing if none has
 * torn POSITION SIZE RUNS                      only while the master ends in a tail that is not a 'c' transaction
 * blobs LENGTH XXH64 COUNT BYTES MISSING "DIR" only where blobs are synced: how much of Data.fs.blobs counts, the hash in
 *                                              its last seal, the blobs of the claim, and the directory of their files
 * chunk START END FIRST_TID LAST_TID TRANSACTIONS RECORDS XXH64
 * end CHUNKS CHECKSUM                          XXH64 of all above
 * ```
 *
 * Invariants of a parsed `.dat`: chunks are contiguous from position 4 to the claim; the claim's tid is the last
 * chunk's. A `.dat` is evidence, not proof: the slave's bytes are checked before anything is built on it.
 *
 * `syncpozo 2`, the previous version, also held the role: `role slave|promoted` after its first line and, with the role
 * promoted, `promoted POSITION TID AT_MS SYNCED_MS` before the chunks. It is still read, but never written.
 */

export interface MasterIdentity {
  readonly device: string;
  readonly inode: string;
  readonly size: number;
  readonly mtime: string;
  readonly magic: Magic;
}

export interface ChunkLine {
  readonly start: number;
  readonly end: number;
  readonly firstTid: bigint;
  readonly lastTid: bigint;
  readonly transactions: number;
  readonly records: number;
  /** XXH64 of [start, end), 16 hexadecimal digits. */
  readonly hash: string;
}

/** The chunk that contains the byte at `position`; undefined when none does. The chunks are contiguous. */
export function chunkAt<T extends Pick<ChunkLine, 'start' | 'end'>>(
  chunks: readonly T[],
  position: number,
): T | undefined {
  let from = 0;
  for (let to = chunks.length; from < to; ) {
    const middle = (from + to) >> 1;
    if ((chunks[middle]?.end ?? 0) <= position) from = middle + 1;
    else to = middle;
  }
  const found = chunks[from];
  return found && found.start <= position ? found : undefined;
}

export interface Claim {
  readonly position: number;
  readonly tid: bigint;
}

/** A tail of the master that is neither complete nor in flight, and the number of runs that have found it unchanged. */
export interface TornTail {
  readonly position: number;
  readonly size: number;
  readonly runs: number;
}

/** The role in a `syncpozo 2`. */
export interface OldRole {
  readonly role: 'slave' | 'promoted';
  readonly promotion?: Promotion;
}

export interface Dat {
  readonly master: MasterIdentity;
  readonly slaveInode: string;
  readonly claim: Claim;
  /** Hash state of the last chunk; '' without chunks. */
  readonly tailState: string;
  readonly copiedFrom?: number | undefined;
  readonly torn: TornTail | undefined;
  readonly blobs?: BlobsClaim | undefined;
  readonly chunks: readonly ChunkLine[];
}

const FIRST_LINE = 'syncpozo 3';
const OLD_FIRST_LINE = 'syncpozo 2';

export function formatDat(dat: Dat): string {
  return format(dat, undefined);
}

function format(dat: Dat, old: OldRole | undefined): string {
  const { master, claim, torn } = dat;
  const lines = [
    ...(old ? [OLD_FIRST_LINE, `role ${old.role}`] : [FIRST_LINE]),
    `master ${master.device} ${master.inode} ${master.size} ${master.mtime} ${master.magic}`,
    `slave ${dat.slaveInode}`,
    `claim ${claim.position} ${formatTid(claim.tid)}`,
    `tail ${dat.tailState || '-'}`,
  ];
  if (dat.copiedFrom !== undefined) lines.push(`copied ${dat.copiedFrom}`);
  if (torn) lines.push(`torn ${torn.position} ${torn.size} ${torn.runs}`);
  if (dat.blobs) lines.push(formatBlobsClaim(dat.blobs));
  if (old?.promotion) {
    const { position, tid, at, lastSync } = old.promotion;
    lines.push(`promoted ${position} ${formatTid(tid)} ${at} ${lastSync ?? '-'}`);
  }
  for (const chunk of dat.chunks) {
    const tids = `${formatTid(chunk.firstTid)} ${formatTid(chunk.lastTid)}`;
    lines.push(`chunk ${chunk.start} ${chunk.end} ${tids} ${chunk.transactions} ${chunk.records} ${chunk.hash}`);
  }
  const body = `${lines.join('\n')}\n`;
  return `${body}end ${dat.chunks.length} ${checksum(body)}\n`;
}

/** `old`: the role, in a `syncpozo 2`. */
export type ParsedDat = { readonly dat: Dat; readonly old?: OldRole } | { readonly problem: string };

/**
 * Parses a `.dat`. Total: anything that is not exactly what formatDat writes, or used to write, yields a problem text.
 */
export function parseDat(text: string): ParsedDat {
  if (text === '') return { problem: 'it is empty' };
  const isOld = text.startsWith(`${OLD_FIRST_LINE}\n`);
  if (!isOld && !text.startsWith(`${FIRST_LINE}\n`)) return { problem: `its first line is not "${FIRST_LINE}"` };
  const lastLine = text.lastIndexOf('\nend ') + 1;
  if (lastLine === 0 || !text.endsWith('\n')) return { problem: 'its last line is missing: it was cut short' };
  const body = text.slice(0, lastLine);
  const end = /^end (\d{1,9}) ([0-9a-f]{16})\n$/.exec(text.slice(lastLine));
  if (!end || end[2] !== checksum(body)) return { problem: 'its checksum is wrong' };
  const lines = body.split('\n');
  lines.pop();
  const reader = new LineReader(lines.slice(1), 1);
  try {
    const { dat, ...old } = readDat(reader, isOld);
    if (dat.chunks.length !== Number(end[1]))
      throw new Misfit(`it has ${dat.chunks.length} chunks, its end says ${end[1]}`);
    checkChunks(dat);
    if (format(dat, old.old) !== text) throw new Misfit('it is not written as syncpozo writes it');
    return { dat, ...old };
  } catch (error) {
    if (error instanceof Misfit) return { problem: error.message };
    throw error;
  }
}

function readDat(reader: LineReader, isOld: boolean): { readonly dat: Dat; readonly old?: OldRole } {
  const role = isOld ? reader.expect(/^role (slave|promoted)$/)[0] : undefined;
  const [device, inode, size, mtime, magic] = reader.expect(/^master (\d+) (\d+) (\d+) (\d+) (FS21|FS30)$/);
  const [slaveInode] = reader.expect(/^slave (\d+)$/);
  const [position, tid] = reader.expect(/^claim (\d+) ([0-9a-f]{16})$/);
  const [tail] = reader.expect(/^tail (-|[0-9a-f]+)$/);
  const copied = reader.accept(/^copied (\d+)$/);
  const torn = reader.accept(/^torn (\d+) (\d+) (\d+)$/);
  const blobs = isOld ? undefined : reader.accept(BLOBS_LINE);
  const promoted = role === 'promoted' ? reader.accept(/^promoted (\d+) ([0-9a-f]{16}) (\d+) (\d+|-)$/) : undefined;
  const chunks: ChunkLine[] = [];
  while (!reader.done) chunks.push(readChunkLine(reader));
  const dat: Dat = {
    master: {
      device: device ?? '',
      inode: inode ?? '',
      size: wholeNumber(size),
      mtime: mtime ?? '',
      magic: magic === 'FS21' ? 'FS21' : 'FS30',
    },
    slaveInode: slaveInode ?? '',
    claim: { position: wholeNumber(position), tid: BigInt(`0x${tid}`) },
    tailState: tail === '-' ? '' : (tail ?? ''),
    ...(copied && { copiedFrom: wholeNumber(copied[0]) }),
    torn: torn && { position: wholeNumber(torn[0]), size: wholeNumber(torn[1]), runs: wholeNumber(torn[2]) },
    ...(blobs && { blobs: readBlobsClaim(blobs) }),
    chunks,
  };
  if (!isOld) return { dat };
  if (role !== 'promoted') return { dat, old: { role: 'slave' } };
  return { dat, old: { role, ...(promoted && { promotion: readPromotion(promoted) }) } };
}

function readChunkLine(reader: LineReader): ChunkLine {
  const [start, end, firstTid, lastTid, transactions, records, hash] = reader.expect(
    /^chunk (\d+) (\d+) ([0-9a-f]{16}) ([0-9a-f]{16}) (\d+) (\d+) ([0-9a-f]{16})$/,
  );
  return {
    start: wholeNumber(start),
    end: wholeNumber(end),
    firstTid: BigInt(`0x${firstTid}`),
    lastTid: BigInt(`0x${lastTid}`),
    transactions: wholeNumber(transactions),
    records: wholeNumber(records),
    hash: hash ?? '',
  };
}

/**
 * Hexadecimal digits of the hash state after `length` bytes: 32 bytes of accumulators and the bytes of an incomplete
 * stripe of 32.
 */
function stateDigits(length: number): number {
  return 2 * (32 + (length % 32));
}

function checkChunks(dat: Dat): void {
  let position = MAGIC_LENGTH;
  for (const chunk of dat.chunks) {
    if (chunk.start !== position)
      throw new Misfit(`a chunk begins at ${chunk.start}, the one before ends at ${position}`);
    if (chunk.end <= chunk.start || chunk.transactions === 0) throw new Misfit(`the chunk at ${chunk.start} is empty`);
    position = chunk.end;
  }
  if (dat.claim.position !== position)
    throw new Misfit(`its claim is ${dat.claim.position}, its chunks end at ${position}`);
  const last = dat.chunks.at(-1);
  if (dat.copiedFrom !== undefined && (dat.copiedFrom < MAGIC_LENGTH || dat.copiedFrom > position)) {
    throw new Misfit(`what was copied last begins at ${dat.copiedFrom}, outside of what is claimed`);
  }
  if (dat.torn && (dat.torn.position < position || dat.torn.size <= dat.torn.position || dat.torn.runs < 1)) {
    throw new Misfit('its torn tail is none');
  }
  if (dat.claim.tid !== (last?.lastTid ?? ZERO_TID)) throw new Misfit("its claim's tid is not the last chunk's");
  if (dat.tailState.length !== (last ? stateDigits(last.end - last.start) : 0)) {
    throw new Misfit('the hash state of its last chunk has the wrong length');
  }
}
