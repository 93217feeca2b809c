import { setTimeout as pause } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import type { LiveReport } from './live.js';
import { Site } from './site.js';

/** A worker thread in which a site stays live while others read its file: it commits until a message stops it. */
async function live(path: string): Promise<LiveReport> {
  const site = Site.open(path);
  const report = { commits: 0, aborts: 0 };
  let stopped = false;
  parentPort?.once('message', () => {
    stopped = true;
  });
  while (!stopped) {
    const page = 1 + ((report.commits * 7) % 100);
    site.vote(site.pages(new Map([[page, `page ${page}, edition ${report.commits}. `.repeat(200)]])));
    // During this pause every sync finds a transaction in flight.
    await pause(2);
    if ((report.commits + report.aborts) % 5 === 4) {
      site.abort();
      report.aborts += 1;
    } else {
      site.finish();
      report.commits += 1;
    }
  }
  site.close();
  return report;
}

live(String(workerData)).then((done) => parentPort?.postMessage(done));
