import type { BlobSettings } from '../../src/blobs/settings.js';
import { InlineSource } from '../../src/pipeline/chunk-source.js';
import { ReadDeadline } from '../../src/pipeline/read-deadline.js';
import { Window } from '../../src/pipeline/window.js';
import { exitOfError, exitOfOutcome } from '../../src/round/exit.js';
import type { ScrubAmount } from '../../src/scrub/round.js';
import { slavePaths } from '../../src/standby/paths.js';
import { type Outcome, sync } from '../../src/sync/sync.js';

/** Small enough that a master of some kilobytes has several chunks and batches. */
export const SIZES = { chunkBytes: 512, windowBytes: 65_536, batchBytes: 6144 } as const;

export interface Synced {
  readonly exitCode: number;
  /** The decision, or the message of the error that ended the run. */
  readonly report: string;
  readonly kind: Outcome['plan']['kind'] | 'error';
}

const window = new Window(SIZES.windowBytes);
const deadline = new ReadDeadline(30);

/** One round as `syncpozo sync` runs it, but without its lock, which costs more than everything else together. */
export async function oneSync(
  master: string,
  slave: string,
  full = false,
  scrub: ScrubAmount = 0,
  blobs?: BlobSettings,
  keepPacked = 0,
): Promise<Synced> {
  const source = new InlineSource(window, {
    chunkBytes: SIZES.chunkBytes,
    onProgress: () => {},
  });
  try {
    const outcome = await sync(
      {
        paths: slavePaths(slave, 'Data.fs'),
        source,
        deadline,
        report: () => {},
        keepPacked,
        batchBytes: SIZES.batchBytes,
        batchMilliseconds: Number.POSITIVE_INFINITY,
        indexThreadFrom: Number.POSITIVE_INFINITY,
      },
      {
        masterPath: master,
        full,
        dryRun: false,
        chunkBytes: SIZES.chunkBytes,
        scrub,
        blobs,
        onBlobs: () => {},
        readSwitch: () => 'on',
        onPlan: () => {},
      },
    );
    const { plan } = outcome;
    const report = `${plan.kind}, row ${plan.row}: ${'reason' in plan ? plan.reason : plan.stop.message}`;
    return { exitCode: exitOfOutcome(outcome), report, kind: plan.kind };
  } catch (error) {
    return { exitCode: exitOfError(error), report: String(error), kind: 'error' };
  }
}
