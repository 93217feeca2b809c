import { withFile } from '../io/with-file.js';
import type { Rot } from '../pipeline/damage.js';
import type { Resume } from '../pipeline/resume.js';
import { readableFile, upTo } from '../pipeline/scan.js';
import type { Work } from '../pipeline/work.js';
import { sameMagic } from './compare.js';
import type { Judging } from './file-pair.js';
import { judge, type Recorded } from './lineage-of.js';
import { rotInPlace } from './rot-in-place.js';
import type { Verdict } from './verdict.js';

/** The slave that a rebuild replaces, and what is recorded of it. */
export interface Replaced extends Recorded {
  /** The operator requests the rebuild, whatever the lineage is. */
  readonly forced: boolean;
}

/**
 * What the master is to the slave. The copy, complete or cut short at `resume`, is read in the master's place, because
 * the copy may have closed the master's descriptor.
 */
export async function judgeCopy(
  work: Work,
  masterPath: string,
  replaced: Replaced,
  judging: Judging,
  resume: Resume,
): Promise<Verdict> {
  const findings = await judging.finish(resume.position);
  const { paths, deadline, source } = work;
  return withFile(paths.fresh, (fresh) =>
    withFile(paths.data, async (file) => {
      const [master, slave] = [upTo({ ...readableFile(fresh), path: masterPath }, resume.position), readableFile(file)];
      // Unless the operator requests it, a rebuild is planned only where bytes differ.
      const bytesDiffer = !replaced.forced && (await sameMagic(master, slave));
      const pair = { master, masterEnd: resume.position, slave, deadline, window: source.window };
      return judge(findings, { ...replaced, ...pair, bytesDiffer });
    }),
  );
}

/** Rot of the master that only the recorded hashes show, because the slave has lost what was copied. */
export function rotOfCopy(
  { paths, source }: Work,
  replaced: Replaced,
  { findings }: Verdict,
  { position }: Resume,
): Promise<Rot | undefined> {
  return withFile(paths.fresh, (fresh) =>
    withFile(paths.data, (slave) =>
      rotInPlace(findings, replaced, upTo(readableFile(fresh), position), readableFile(slave), source.window),
    ),
  );
}
