import type { SyncOptions } from '../../src/round/run-sync.js';
import { inProject } from '../support/root.js';
import { JsonLines } from '../zodb/json-lines.js';
import type { LimitedAnswer } from './limited-sync.js';

/** MiB of JavaScript heap: little, but enough for a program of this size and the syncs of one question. */
const HEAP = 48;
/** Far longer than any question takes: after this time the process counts as looping. */
const LOOPS_AFTER_MS = 120_000;

/** A process that syncs with a limited heap. */
export class LimitedSyncer {
  /** MiB. */
  peakMemory = 0;
  private readonly process = new JsonLines(process.execPath, [
    `--max-old-space-size=${HEAP}`,
    '--max-semi-space-size=4',
    inProject('dist', 'test', 'hostile', 'limited-sync.js'),
  ]);

  /** Runs these syncs at the same time. */
  async sync(all: readonly SyncOptions[]): Promise<LimitedAnswer['results']> {
    let timer: NodeJS.Timeout | undefined;
    const loops = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer within ${LOOPS_AFTER_MS} ms`)), LOOPS_AFTER_MS);
    });
    try {
      const { results, peakMemory } = (await Promise.race([this.process.ask([...all]), loops])) as LimitedAnswer;
      this.peakMemory = peakMemory;
      return results;
    } finally {
      clearTimeout(timer);
    }
  }

  close(): Promise<void> {
    return this.process.close();
  }
}
