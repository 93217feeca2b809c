import { once } from 'node:events';
import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';

/** What a live site did until it was stopped. */
export interface LiveReport {
  readonly commits: number;
  readonly aborts: number;
}

/** Paths of its Data.fs and of its blob directory. */
export interface LiveSite {
  readonly path: string;
  readonly blobPath: string;
}

/** Lets a site commit in a worker thread while `meanwhile` runs. */
export async function whileLive(site: LiveSite, meanwhile: () => Promise<void>): Promise<LiveReport> {
  const worker = new Worker(createRequire(import.meta.url).resolve('#live-writer'), { workerData: site });
  const [[report]] = await Promise.all([
    once(worker, 'message') as Promise<LiveReport[]>,
    meanwhile().finally(() => worker.postMessage('stop')),
  ]);
  if (report === undefined) throw new Error('the living site said nothing when it was stopped');
  return report;
}
