import { BackwardReader } from '../filestorage/backward.js';
import { type Blame, blameOf } from '../lineage/blame.js';
import { sourceOf } from '../lineage/file-source.js';
import { merge } from '../lineage/merge.js';
import { type Verdict, verdictOf } from '../lineage/verdict.js';
import type { ChunkLine } from '../standby/dat.js';
import type { TermLine } from '../standby/role.js';
import { isContinuation } from './judge-copy.js';
import type { Patience } from './patience.js';
import type { Readable } from './scan.js';
import type { Window } from './window.js';
import { rehashIn } from './window-rehash.js';

export interface Compared {
  readonly master: Readable;
  /** Positions behind the last transactions that a server would show. */
  readonly masterEnd: number;
  readonly slave: Readable;
  readonly slaveEnd: number;
  /** What is recorded of the slave; nothing for a file that is none. */
  readonly chunks: readonly ChunkLine[];
  readonly ownFrom: number;
  /** What is claimed is not all there, or not as it was copied. */
  readonly unverified: boolean;
  readonly damageReported: boolean;
  /** The places at which the master's terms began. */
  readonly terms: readonly TermLine[];
  /** Both begin with the same magic, and some bytes are known to differ. */
  readonly bytesDiffer: boolean;
  readonly patience: Patience;
  readonly window: Window;
}

/** What a master is to a slave: reads all of both, and writes nothing. */
export async function lineageOf(of: Compared): Promise<Verdict> {
  const { master, masterEnd, slave, slaveEnd, chunks, ownFrom, damageReported, patience, window } = of;
  const options = { ownFrom, pieces: chunks, stopEarly: false };
  const findings = await merge(sourceOf(master, masterEnd), sourceOf(slave, slaveEnd), options);
  const packedFileKnown = await isContinuation(findings, of, master, masterEnd, slave, patience);
  const places = [...findings.shapes, ...findings.differences];
  let blame: Blame | undefined;
  if (places.length > 0) {
    const complete = places.length === findings.shapeCount + findings.differenceCount;
    const [readSlave, readMaster] = [slave, master].map((file) => file.readBytes.bind(file));
    if (readSlave && readMaster)
      blame = await blameOf(places, complete, chunks, readSlave, readMaster, rehashIn(window));
  }
  const endsWithTerm = of.terms.some(({ tid }) => tid === findings.slaveLast);
  return verdictOf(findings, {
    packedFileKnown,
    endsWithTerm,
    unverified: of.unverified,
    damageReported,
    blame,
    bytesDiffer: of.bytesDiffer,
  });
}

/** The newest transaction that both have before anything that only one side has; undefined: there is none. */
export async function commonTid({ findings }: Verdict, slave: Readable): Promise<bigint | undefined> {
  const { oldest, common } = findings;
  if (oldest === undefined) return common?.tid;
  return (await new BackwardReader(slave).endingAt(oldest))?.tid;
}
