import { refuseDataFile } from '../io/data-file.js';
import { ownTemporaryOf, replaceText } from '../io/replace.js';
import { SILENT } from '../report/log.js';
import { SYSTEM_CLOCK } from './ages.js';
import { renderWatchMetrics } from './metrics.js';
import type { Monitored } from './monitored.js';
import { Snapshots } from './snapshot.js';

const READABLE_FOR_ALL = 0o644;

/** A reading that hangs is not repeated by the next call. */
const snapshotsOf = new WeakMap<Monitored, Snapshots>();

/**
 * Writes the figures of a watch for node_exporter's textfile collector, in one step: nobody reads a part of them. They are at
 * most a second old. Throws an IoFault if the file cannot be written.
 */
export async function writeFigures(path: string, monitored: Monitored): Promise<void> {
  const snapshots = snapshotsOf.get(monitored) ?? new Snapshots(monitored, SYSTEM_CLOCK, SILENT);
  snapshotsOf.set(monitored, snapshots);
  const text = renderWatchMetrics(monitored, await snapshots.current());
  refuseDataFile(path);
  replaceText(path, text, { mode: READABLE_FOR_ALL }, ownTemporaryOf(path));
}
