import { once } from 'node:events';
import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';

/** What a live site did until it was stopped. */
export interface LiveReport {
  readonly commits: number;
  readonly aborts: number;
}

/** Lets a site commit in a worker thread while `meanwhile` runs. `path` is its Data.fs. */
export async function whileLive(path: string, meanwhile: () => Promise<void>): Promise<LiveReport> {
  const worker = new Worker(createRequire(import.meta.url).resolve('#live-writer'), { workerData: path });
  const [[report]] = await Promise.all([
    once(worker, 'message') as Promise<LiveReport[]>,
    meanwhile().finally(() => worker.postMessage('stop')),
  ]);
  if (report === undefined) throw new Error('the living site said nothing when it was stopped');
  return report;
}
