import { resolve } from 'node:path';
import { findLag, newestTid } from '../engine/lag.js';
import { observeMaster } from '../engine/observe.js';
import { Patience } from '../engine/patience.js';
import { readableFile } from '../engine/scan.js';
import { Window } from '../engine/window.js';
import { formatTid, tidToIso } from '../filestorage/tid.js';
import { IoFault } from '../io/fault.js';
import { OpenFile } from '../io/open-file.js';
import type { Standing } from '../report/standing.js';
import type { Claim } from '../standby/dat.js';
import type { SlavePaths } from '../standby/paths.js';
import { findMaster } from './master.js';

const WINDOW_BYTES = 1 << 20;

/** How a slave stands to the master as that is now. */
export type FoundNow =
  | {
      readonly kind: 'behind';
      readonly seconds: number | null;
      readonly transactions: number;
      readonly bytes: number;
    }
  | { readonly kind: 'forked' | 'damaged' | 'out-of-reach' | 'unknown'; readonly why: string };

export interface Probed {
  readonly master: NonNullable<Standing['master']>;
  readonly now: FoundNow;
}

export interface ProbeOptions {
  /** MASTER as it was given. */
  readonly given: string;
  readonly file: string;
  readonly timeoutSeconds: number;
  /** undefined: nothing is claimed, so nothing can be compared. */
  readonly claim: Claim | undefined;
}

/** Reads the master's end and compares it with what the slave has. A master that cannot be read is an answer. */
export async function probeMaster(paths: SlavePaths, options: ProbeOptions): Promise<Probed> {
  let path = resolve(options.given);
  const out = (kind: 'damaged' | 'out-of-reach', why: string): Probed => ({
    master: { path, problem: why, lastTid: null, lastTime: null },
    now: { kind, why },
  });
  try {
    const patience = new Patience(options.timeoutSeconds);
    path = await findMaster(options.given, options.file, patience);
    const observed = await observeMaster(path, patience, undefined);
    if (!('master' in observed)) {
      const { state, reason } = observed.state;
      return out(state === 'unfit' ? 'damaged' : 'out-of-reach', reason);
    }
    const { master } = observed;
    const slave = options.claim && openIfReadable(paths.data);
    try {
      const window = new Window(WINDOW_BYTES);
      const found = options.claim
        ? await findLag(master, slave && readableFile(slave), options.claim, window, Date.now())
        : undefined;
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
