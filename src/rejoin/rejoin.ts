import { milliseconds } from '../io/clock.js';
import { factsBehindPath } from '../io/facts.js';
import { EXIT } from '../round/exit.js';
import { findSide } from '../round/find-master.js';
import { refuseSameFile } from '../round/same-file.js';
import { refuseOpened } from '../standby/in-use.js';
import { Lock } from '../standby/lock.js';
import { fileOf, nameInDirectory, PathMistake, type SlavePaths, slavePaths, slaveSide } from '../standby/paths.js';
import type { RejoinOptions } from './options.js';
import { RejoinRefusal } from './refusal.js';
import { Rejoining } from './rejoining.js';
import { endedBy, nothingKnown, type RejoinResult } from './result.js';

const SERVING_FIRST = 'name the directory of the side that serves first, then that of the old master';

/** Makes the old master at SLAVE a slave of the side that serves. Returns faults as a result, except mistakes of the operator. */
export async function runRejoin(options: RejoinOptions): Promise<RejoinResult> {
  const began = milliseconds();
  const { deadline, file, dryRun } = options;
  let known = nothingKnown(options.master, options.slave, dryRun);
  const ended = (end: ReturnType<typeof endedBy>): RejoinResult => {
    const { dryRun: _, master, slave, ...facts } = known;
    return { ...end, dryRun, master, slave, ...facts, seconds: Math.round(milliseconds() - began) / 1000 };
  };
  try {
    // SLAVE's mistakes come before the first access to MASTER, which may hang.
    const ours = slaveSide(options.slave, file);
    const theirs = await findSide(options.master, file, deadline);
    const paths = slavePaths(options.slave, file, theirs);
    const master = fileOf(theirs, nameInDirectory(file, ours));
    known = { ...known, master, slave: paths.data };
    refuseSameFile(await deadline.wait(factsBehindPath(master), 'stat', master), paths, SERVING_FIRST);
    const holder = dryRun ? Lock.probe(paths.lock) : Lock.take(paths.lock, paths.directoryFacts);
    if (holder !== undefined && holder.kind !== 'held') throw inUse(paths, holder);
    try {
      if (!dryRun) refuseOpened(paths);
      const rejoining = new Rejoining(options, paths, master, (facts) => {
        known = { ...known, ...facts };
      });
      return ended(await rejoining.run());
    } finally {
      holder?.lock.release();
    }
  } catch (error) {
    if (error instanceof PathMistake) throw error;
    return ended(endedBy(error));
  }
}

function inUse({ data }: SlavePaths, { kind, holder }: { readonly kind: string; readonly holder: string }): Error {
  if (kind === 'syncpozo') {
    const hint = 'wait until it has ended, and run the rejoin again';
    return new RejoinRefusal(`another syncpozo is at work on ${data} (${holder})`, hint, EXIT.fault);
  }
  const hint = `stop the ZEO server there first. If it is the one that serves the clients, MASTER and SLAVE are swapped`;
  return new RejoinRefusal(`another program uses ${data} (${holder})`, hint, EXIT.inUse);
}
