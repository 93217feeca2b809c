import { formatTid, tidToIso } from '../filestorage/tid.js';
import { IoFault } from '../io/fault.js';
import { OpenFile } from '../io/open-file.js';
import { findLag, newestTid } from '../lineage/lag.js';
import { observeMaster } from '../pipeline/observe.js';
import type { ReadDeadline } from '../pipeline/read-deadline.js';
import { readableFile } from '../pipeline/scan.js';
import { Window } from '../pipeline/window.js';
import type { Standing } from '../report/standing.js';
import type { Claim } from '../standby/dat.js';
import { fileOf, type Side, type SlavePaths } from '../standby/paths.js';

const WINDOW_BYTES = 1 << 20;

/** What the slave is to the current master. */
export type FoundNow =
  | {
      readonly kind: 'behind';
      readonly seconds: number | null;
      /** null: not counted, but at least one. */
      readonly transactions: number | null;
      readonly bytes: number | null;
    }
  | { readonly kind: 'forked' | 'damaged' | 'out-of-reach' | 'unknown'; readonly why: string };

export interface Probed {
  readonly master: NonNullable<Standing['master']>;
  readonly now: FoundNow;
}

/** Reads the master's end and compares it with the slave. A master that cannot be read is a result, not an error. */
export async function probeMaster(
  paths: SlavePaths,
  side: Side & { readonly fault?: IoFault },
  name: string,
  deadline: ReadDeadline,
  claim: Claim | undefined,
): Promise<Probed> {
  const path = fileOf(side, name);
  const out = (kind: 'damaged' | 'out-of-reach', why: string): Probed => ({
    master: { path, problem: why, lastTid: null, lastTime: null },
    now: { kind, why },
  });
  try {
    if (side.fault) throw side.fault;
    const observed = await observeMaster(path, deadline, undefined);
    if (!('master' in observed)) {
      const { state, reason } = observed.state;
      return out(state === 'unfit' ? 'damaged' : 'out-of-reach', reason);
    }
    const { master } = observed;
    const slave = claim && openIfReadable(paths.data);
    try {
      const window = new Window(WINDOW_BYTES);
      const found = claim ? await findLag(master, slave && readableFile(slave), claim, window, Date.now()) : undefined;
      const tid = found ? found.masterTid : await newestTid(master, window);
      const last = {
        lastTid: tid === undefined ? null : formatTid(tid),
        lastTime: tid === undefined ? null : tidToIso(tid),
      };
      const now = found?.behind ?? { kind: 'unknown', why: 'nothing is claimed' };
      return { master: { path, problem: null, ...last }, now };
    } finally {
      slave?.closeQuietly();
      master.close();
    }
  } catch (error) {
    if (!(error instanceof IoFault)) throw error;
    return out('out-of-reach', error.message);
  }
}

function openIfReadable(path: string): OpenFile | undefined {
  try {
    return OpenFile.openHere(path);
  } catch (error) {
    if (error instanceof IoFault) return undefined;
    throw error;
  }
}
