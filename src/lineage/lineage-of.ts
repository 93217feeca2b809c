import { BackwardReader } from '../filestorage/backward.js';
import type { Readable } from '../pipeline/scan.js';
import type { Window } from '../pipeline/window.js';
import type { ChunkLine } from '../standby/dat.js';
import type { TermLine } from '../standby/role.js';
import { type Blame, blameOf, type Rehash } from './blame.js';
import { changedChunks, mayComeFromSlave } from './changed-chunks.js';
import { sourceOf } from './file-source.js';
import type { MergeFindings, Mismatch } from './findings.js';
import { merge } from './merge.js';
import { checkPackedFile, type PackedPair, UNKNOWN } from './packed-file.js';
import { refersToAny } from './references.js';
import { type Verdict, verdictOf } from './verdict.js';

/** What is recorded of a slave and its master. */
export interface Recorded {
  /** Position behind the last transaction that a server would show of the slave. */
  readonly slaveEnd: number;
  /** Slave transactions from this position on were never recorded as copied. */
  readonly ownFrom: number;
  /** The slave's chunks; empty for a file that is no slave. */
  readonly chunks: readonly ChunkLine[];
  /** Those that are known not to have their hash any more. */
  readonly changed?: readonly ChunkLine[];
  /** Claimed bytes are missing or changed, or unreadable bytes follow the claim. */
  readonly unverified: boolean;
  /** Damage of this master was reported since the slave was last rebuilt. */
  readonly damageReported: boolean;
  /** The places where the master's terms began. */
  readonly terms: readonly TermLine[];
}

/** Two files whose committed parts are compared. */
export interface Compared extends Recorded, PackedPair {
  /** Both begin with the same magic, and some bytes are known to differ. */
  readonly bytesDiffer: boolean;
  readonly window: Window;
}

/** What a master is to a slave. Reads both files completely and writes nothing. */
export async function lineageOf(of: Compared): Promise<Verdict> {
  const verdict = await lineageWithout([], of);
  if (!mayComeFromSlave(verdict)) return verdict;
  const changed = await changedChunks(of.slave, of.chunks, of.window);
  return changed.length === 0 ? verdict : lineageWithout(changed, of);
}

async function lineageWithout(changed: readonly ChunkLine[], of: Compared): Promise<Verdict> {
  const { master, masterEnd, slave, slaveEnd, chunks, ownFrom } = of;
  const options = { ownFrom, pieces: chunks, changed, stopEarly: false };
  return judge(await merge(sourceOf(master, masterEnd), sourceOf(slave, slaveEnd), options), of);
}

/** The verdict on the findings of a pass over both files. */
export async function judge(findings: MergeFindings, of: Compared): Promise<Verdict> {
  const { unverified, damageReported, bytesDiffer, terms } = of;
  const packed = findings.dropped > 0 ? await checkPackedFile(of, findings.goneAt) : UNKNOWN;
  const packedFileRot = packed.differs && (await blameOnPacked(packed.differs, of)) ? packed.differs : undefined;
  const blame = await blameFor(findings, of);
  const refersToGone = packed.isKnown && findings.gone > 0 && (await refersTo(findings.goneOids, of));
  const endsWithTerm = terms.some(({ tid }) => tid === findings.slaveLast);
  const packedFileKnown = packed.isKnown;
  return verdictOf(findings, {
    packedFileKnown,
    packedFileRot,
    refersToGone,
    endsWithTerm,
    unverified,
    damageReported,
    blame,
    bytesDiffer,
  });
}

/** If there are too many oids to keep, assumes a reference, so that the old file is kept. */
async function refersTo(gone: Float64Array | undefined, { master, masterEnd }: Compared): Promise<boolean> {
  return gone === undefined || refersToAny(master, masterEnd, gone);
}

/** Whether the slave still has the copied bytes where the packed file has others. */
async function blameOnPacked(differs: Mismatch, { slave, chunks, window }: Compared): Promise<boolean> {
  const readSlave = (into: Uint8Array, position: number) => slave.readBytes(into, position);
  return (await blameOf([differs], true, chunks, readSlave, readSlave, rehashIn(window))) === 'master';
}

async function blameFor(
  findings: MergeFindings,
  { master, slave, chunks, window }: Compared,
): Promise<Blame | undefined> {
  const places = [...findings.shapes, ...findings.differences];
  if (places.length === 0) return undefined;
  const complete = places.length === findings.shapeCount + findings.differenceCount;
  const readAt = (file: Readable) => (into: Uint8Array, position: number) => file.readBytes(into, position);
  return blameOf(places, complete, chunks, readAt(slave), readAt(master), rehashIn(window));
}

/** The newest common transaction before anything that only one side has; undefined: there is none. */
export async function commonTid(
  { findings }: Verdict,
  slave: Readable,
  master: Readable,
  masterEnd: number,
): Promise<bigint | undefined> {
  const { oldest, common } = findings;
  if (oldest === undefined) return common?.tid;
  const theirs = new BackwardReader(master).from(masterEnd);
  let other = await theirs.next();
  for await (const { tid } of new BackwardReader(slave).from(oldest)) {
    while (!other.done && other.value.tid > tid) other = await theirs.next();
    if (other.done) return undefined;
    if (other.value.tid === tid) return tid;
  }
  return undefined;
}

/** The hash of a window, for bytes that were not read into it. */
function rehashIn(window: Window): Rehash {
  return {
    reset: () => window.reset(),
    add(bytes) {
      for (let done = 0; done < bytes.length; done += window.size) {
        const piece = bytes.subarray(done, done + window.size);
        window.bytes.set(piece);
        window.add(0, piece.length);
      }
    },
    digest: () => window.digest(),
  };
}
