import { sourceOf } from '../../src/lineage/file-source.js';
import type { MergeFindings, MergeOptions } from '../../src/lineage/findings.js';
import { merge } from '../../src/lineage/merge.js';
import { type Evidence, type Verdict, verdictOf } from '../../src/lineage/verdict.js';
import { type Draft, dataFs, nthTid } from './data-fs.js';
import { MemoryFile } from './memory-file.js';

/** A transaction that writes these objects, each with a unique marker. */
export function write(n: number, oids: readonly number[], status = ' '): Draft {
  const records = oids.map((oid) => ({ oid: BigInt(oid), data: markerOf(n, oid) }));
  return { tid: nthTid(n), status, description: `edit ${n}`, records };
}

export function markerOf(n: number, oid: number): string {
  return `<${n} writes ${oid}>`;
}

/** The same transaction after a pack, with the records of these objects. */
export function packed(n: number, oids: readonly number[]): Draft {
  return write(n, oids, 'p');
}

export const EVIDENCE: Evidence = {
  packedFileKnown: true,
  packedFileRot: undefined,
  refersToGone: false,
  endsWithTerm: false,
  unverified: false,
  damageReported: false,
  blame: undefined,
  bytesDiffer: false,
};

type Side = readonly Draft[] | Uint8Array;

export function bytesOf(side: Side): Uint8Array {
  return side instanceof Uint8Array ? side : dataFs(side).bytes;
}

export function mergeOf(slave: Side, master: Side, options: Partial<MergeOptions> = {}): Promise<MergeFindings> {
  const [ours, theirs] = [bytesOf(slave), bytesOf(master)].map((bytes) =>
    sourceOf(new MemoryFile(bytes), bytes.length),
  );
  return merge(theirs!, ours!, { ownFrom: Number.MAX_SAFE_INTEGER, pieces: [], stopEarly: false, ...options });
}

/** The relation of MASTER to SLAVE. */
export async function judged(slave: Side, master: Side, evidence: Partial<Evidence> = {}): Promise<Verdict> {
  return verdictOf(await mergeOf(slave, master), { ...EVIDENCE, ...evidence });
}
