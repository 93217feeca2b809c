import { OpenFile } from '../io/open-file.js';
import { type Blame, blameOf } from '../lineage/blame.js';
import type { MergeFindings } from '../lineage/findings.js';
import type { Judging } from '../lineage/judging.js';
import { type Verdict, verdictOf } from '../lineage/verdict.js';
import type { ChunkLine } from '../standby/dat.js';
import type { TermLine } from '../standby/role.js';
import { sameMagic } from './compare.js';
import type { Resume } from './facts.js';
import { isPackedFileKnown } from './packed-file.js';
import type { Patience } from './patience.js';
import { type Readable, readableFile, upTo } from './scan.js';
import { rehashIn } from './window-rehash.js';
import type { Work } from './work.js';

/** The slave that a rebuild is to replace, and what is recorded of it. */
export interface Replaced {
  /** Position behind the last transaction that a server would show. */
  readonly slaveEnd: number;
  /** Transactions from here on were never recorded as copied. */
  readonly ownFrom: number;
  readonly chunks: readonly ChunkLine[];
  /** What is claimed is not all there, or not as it was copied; or bytes follow that nobody could read. */
  readonly unverified: boolean;
  /** A person asks for the rebuild, whatever the lineage is. */
  readonly forced: boolean;
  /** Damage of this master was reported since the slave was rebuilt last. */
  readonly damageReported: boolean;
  /** The places at which the master's terms began. */
  readonly terms: readonly TermLine[];
}

/**
 * What the master, whose copy is complete or cut short at `resume`, is to the slave. The copy is read in the master's place:
 * the copying may have let go of the master's descriptor.
 */
export async function judgeCopy(
  work: Work,
  masterPath: string,
  replaced: Replaced,
  judging: Judging,
  resume: Resume,
): Promise<Verdict> {
  const findings = await judging.finish(resume.position);
  const { chunks, damageReported, unverified } = replaced;
  const fresh = OpenFile.openHere(work.paths.fresh);
  try {
    const slave = OpenFile.openHere(work.paths.data);
    try {
      const readable = readableFile(slave);
      const copy = upTo({ ...readableFile(fresh), path: masterPath }, resume.position);
      const packedFileKnown = await isContinuation(findings, replaced, copy, resume.position, readable, work.patience);
      const blame = await blameFor(work, findings, chunks, slave, fresh);
      // Without a person's word a rebuild is planned only where bytes differ.
      const bytesDiffer = !replaced.forced && (await sameMagic(copy, readable));
      const endsWithTerm = replaced.terms.some(({ tid }) => tid === findings.slaveLast);
      return verdictOf(findings, { packedFileKnown, endsWithTerm, unverified, damageReported, blame, bytesDiffer });
    } finally {
      slave.closeQuietly();
    }
  } finally {
    fresh.closeQuietly();
  }
}

/** Whether it is shown that what a pack has rewritten on the master was a continuation of the slave. */
export async function isContinuation(
  { dropped, slaveLast }: MergeFindings,
  { slaveEnd, terms }: Pick<Replaced, 'slaveEnd' | 'terms'>,
  master: Readable,
  masterEnd: number,
  slave: Readable,
  patience: Patience,
): Promise<boolean> {
  if (dropped === 0) return false;
  // Every record names its transaction's position: no other history has this transaction end in the same place.
  if (terms.some(({ position, tid }) => position === slaveEnd && tid === slaveLast)) return true;
  return isPackedFileKnown(master, masterEnd, slave, slaveEnd, patience);
}

async function blameFor(
  work: Work,
  findings: MergeFindings,
  chunks: readonly ChunkLine[],
  slave: OpenFile,
  fresh: OpenFile,
): Promise<Blame | undefined> {
  const places = [...findings.shapes, ...findings.differences];
  if (places.length === 0) return undefined;
  const complete = places.length === findings.shapeCount + findings.differenceCount;
  return blameOf(
    places,
    complete,
    chunks,
    (into, position) => slave.read(into, into.length, position),
    (into, position) => fresh.read(into, into.length, position),
    rehashIn(work.source.window),
  );
}
