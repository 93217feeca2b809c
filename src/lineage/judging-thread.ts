import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import { compareFiles, type Judging, type Pair } from './file-pair.js';
import type { MergeFindings } from './findings.js';
import { Frontier } from './frontier.js';
import type { JudgingAnswer, JudgingData } from './judging-task.js';

/**
 * Compares in a separate thread, right behind the copy. It reads only local files. A lost thread costs only the time to
 * compare again.
 */
export class JudgingThread implements Judging {
  private readonly frontier = new Frontier();
  private readonly answer: Promise<JudgingAnswer | undefined>;
  private readonly ended: Promise<void>;

  constructor(private readonly pair: Pair) {
    const path = createRequire(import.meta.url).resolve('#workers/judge-lineage');
    const data: JudgingData = { pair, frontier: this.frontier.memory };
    const thread = new Worker(path, { workerData: data });
    this.ended = new Promise((resolve) => thread.once('exit', () => resolve()));
    this.answer = new Promise((resolve) => {
      thread.once('message', resolve);
      thread.once('error', () => resolve(undefined));
      thread.once('exit', () => resolve(undefined));
    });
  }

  get isCertain(): boolean {
    return this.frontier.isCertain;
  }

  reached(position: number): void {
    this.frontier.moveTo(position);
  }

  async finish(end: number): Promise<MergeFindings> {
    this.frontier.moveTo(end, true);
    const answer = await this.answer;
    return answer?.findings ?? compareFiles(this.pair, end);
  }

  async close(): Promise<void> {
    this.frontier.abandon();
    await this.ended;
  }
}
