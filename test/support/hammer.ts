import { setTimeout as pause } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { Site } from './site.js';

/** In all data of an aborted vote, and in all data of a finished one. */
export const ABORTED = 'ABORTED!';
export const FINISHED = 'finished';

/** Enough for a site that runs for some seconds. */
const LARGEST_FILE = 96 << 20;
const LENGTHS = [300, 40_000, 200_000, 700_000];

/** The thread of a site that writes large transactions: each is voted and aborted some times before it is finished. */
async function hammer(path: string): Promise<void> {
  const site = Site.open(path);
  let stopped = false;
  parentPort?.once('message', () => {
    stopped = true;
  });
  for (let n = 0; !stopped && site.committedEnd < LARGEST_FILE; n++) {
    const length = LENGTHS[n % LENGTHS.length] ?? 0;
    const vote = (mark: string, more = 0) =>
      site.vote(site.pages(new Map([[1 + (n % 9), mark.repeat(length / 8 + more)]])));
    for (let times = n % 3; times > 0; times--) {
      vote(ABORTED, times === 2 ? n % 100 : 0);
      if (n % 2 === 0) await pause(1);
      site.abort();
    }
    vote(FINISHED);
    if (n % 5 === 0) await pause(1);
    site.finish();
    // A turn of the event loop, in which the end message may arrive.
    await pause(n % 4);
  }
  site.close();
}

if (parentPort) {
  await hammer(String(workerData));
  parentPort.postMessage('ended');
}
