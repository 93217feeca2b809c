import { compareWith, type Pair } from './file-pair.js';
import type { MergeFindings } from './findings.js';
import { Abandoned, Frontier, trailingSource } from './frontier.js';

/** What the thread that compares is given. */
export interface JudgingData {
  readonly pair: Pair;
  readonly frontier: SharedArrayBuffer;
}

export interface JudgingAnswer {
  readonly findings: MergeFindings;
}

/** Runs in a thread of its own; undefined where nobody wants the answer any more. */
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
