import { compareFiles, type Judging, type Pair } from './file-pair.js';
import type { MergeFindings } from './findings.js';

/** Compares in this thread, when the copy is complete: for short files. */
class InlineJudging implements Judging {
  readonly isCertain = false;
  constructor(private readonly pair: Pair) {}

  reached(): void {}

  finish(end: number): Promise<MergeFindings> {
    return compareFiles(this.pair, end);
  }

  async close(): Promise<void> {}
}

/** `threaded`: in a separate thread, in parallel with the copy. */
export async function beginJudging(pair: Pair, threaded: boolean): Promise<Judging> {
  if (!threaded) return new InlineJudging(pair);
  const { JudgingThread } = await import('./judging-thread.js');
  return new JudgingThread(pair);
}
