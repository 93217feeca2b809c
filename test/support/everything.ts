import type { Monitored } from '../../src/monitor/monitored.js';
import { isoAgo, monitoredOf } from './monitored.js';

/** A watch of which every metric is known. */
export function everything(): Monitored {
  return monitoredOf({
    standing: {
      since: isoAgo(10),
      blobs: { directory: '/srv/blobs', problem: null, count: 3, bytes: 100, missing: 0, lastFullScrub: isoAgo(5) },
      keptAside: [{ path: '/srv/old', size: 5, written: isoAgo(50), ageSeconds: 50 }],
      lostFiles: [
        {
          path: '/srv/lost-1-2.fs',
          report: null,
          firstTid: '1',
          lastTid: '2',
          size: 5,
          written: isoAgo(50),
          ageSeconds: 50,
        },
      ],
    },
    figures: { faults: { fault: 1 }, runningSince: 5000, hungSince: 7000 },
  });
}

/** The names of the metrics in a text of Prometheus. */
export function namesIn(text: string): Set<string> {
  return new Set([...text.matchAll(/^# TYPE (\S+) /gm)].map(([, name = '']) => name));
}
