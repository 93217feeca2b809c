import { OpenFile } from '../io/open-file.js';
import { fileSource } from './file-source.js';
import type { MergeFindings } from './findings.js';
import { Abandoned, Frontier, trailingSource } from './frontier.js';
import type { Pair } from './judging.js';
import { merge } from './merge.js';

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
  const fresh = OpenFile.openHere(pair.freshPath);
  try {
    const slave = OpenFile.openHere(pair.slavePath);
    try {
      const findings = await merge(trailingSource(fresh, frontier), fileSource(slave, pair.slaveEnd), pair.options);
      if (findings.early) frontier.setCertain();
      return { findings };
    } finally {
      slave.closeQuietly();
    }
  } catch (error) {
    if (error instanceof Abandoned) return undefined;
    throw error;
  } finally {
    fresh.closeQuietly();
  }
}
