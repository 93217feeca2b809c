import { setTimeout as pause } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { BlobDirectory } from './blobs.js';
import type { LiveReport, LiveSite } from './live.js';
import { Site } from './site.js';

/** A worker thread in which a site stays live while others read its file: it commits until a message stops it. */
async function live({ path, blobPath }: LiveSite): Promise<LiveReport> {
  const site = Site.open(path);
  const blobs = BlobDirectory.open(blobPath);
  const report = { commits: 0, aborts: 0 };
  let stopped = false;
  parentPort?.once('message', () => {
    stopped = true;
  });
  while (!stopped) {
    const page = 1 + ((report.commits * 7) % 100);
    const text = `page ${page}, edition ${report.commits}. `.repeat(200);
    const blob = report.commits % 3 === 2 ? blobs.vote(site, page, Buffer.from(text)) : undefined;
    if (blob === undefined) site.vote(site.pages(new Map([[page, text]])));
    // During this pause every sync finds a transaction in flight.
    await pause(2);
    if ((report.commits + report.aborts) % 5 === 4) {
      if (blob === undefined) site.abort();
      else blobs.abort(site, blob);
      report.aborts += 1;
    } else {
      site.finish();
      report.commits += 1;
    }
  }
  site.close();
  return report;
}

live(workerData).then((done) => parentPort?.postMessage(done));
