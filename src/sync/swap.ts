import { removeIfThere, rename, syncDirectory } from '../io/directory.js';
import { IoFault } from '../io/fault.js';
import type { Verdict } from '../lineage/verdict.js';
import type { Work } from '../pipeline/work.js';
import { keepAside } from '../standby/kept-aside.js';
import { dropPacked, keepPacked } from '../standby/kept-packed.js';

/** Puts `Data.fs.new` in the slave's place. Returns the path of the old file, if it is kept in doubt. */
export function swap(work: Work, verdict: Verdict | undefined): string | undefined {
  const { paths, report } = work;
  const last = verdict?.findings.slaveLast ?? 0n;
  let kept: string | undefined;
  if (verdict && !verdict.proven) {
    kept = keepAside(paths, last);
    const message = `the old slave is kept: ${verdict.reason}`;
    report({ level: 'warn', message, fields: { path: kept, ...unprovenCounts(verdict) } });
  }
  if (keepsPacked(work, verdict)) {
    const path = keepPacked(paths, last, kept);
    if (path) report({ level: 'info', message: 'the slave from before the pack is kept', fields: { path } });
  }
  removeIfThere(paths.index);
  syncDirectory(paths.directory);
  rename(paths.fresh, paths.data);
  syncDirectory(paths.directory);
  return kept;
}

/** After a swap that is durable: removes the oldest of the files that were kept after packs. */
export function dropOldPacked(work: Work, verdict: Verdict | undefined): void {
  const { paths, keepPacked: most = 0, report } = work;
  if (!keepsPacked(work, verdict)) return;
  try {
    for (const path of dropPacked(paths, most))
      report({
        level: 'info',
        message: `more than ${most} files were kept after packs: the oldest is removed`,
        fields: { path },
      });
  } catch (error) {
    if (!(error instanceof IoFault)) throw error;
    report({ level: 'warn', message: `a file that was kept after a pack stays: ${error.message}` });
  }
}

function keepsPacked({ keepPacked: most = 0 }: Work, verdict: Verdict | undefined): boolean {
  return most > 0 && verdict?.lineage === 'packed';
}

/** What is unproven, in numbers: how much of the slave leaves no trace in the new file. */
function unprovenCounts({ findings: { dropped, gone, newer, lacking }, lineage }: Verdict) {
  return { lineage, records: dropped, objectsGone: gone, objectsNewer: newer, transactions: lacking };
}
