import { compareWith, type Pair } from './file-pair.js';
import type { MergeFindings } from './findings.js';
import { Abandoned, Frontier, trailingSource } from './frontier.js';

/** What the comparing thread receives. */
export interface JudgingData {
  readonly pair: Pair;
  readonly frontier: SharedArrayBuffer;
}

export interface JudgingAnswer {
  readonly findings: MergeFindings;
}

/** Runs in a separate thread. undefined: the answer is no longer needed. */
export async function judge({ pair, frontier: memory }: JudgingData): Promise<JudgingAnswer | undefined> {
  const frontier = new Frontier(memory);
  try {
    const findings = await compareWith(pair, (fresh) => trailingSource(fresh, frontier));
    if (findings.early) frontier.setCertain();
    return { findings };
  } catch (error) {
    if (error instanceof Abandoned) return undefined;
    throw error;
  }
}
