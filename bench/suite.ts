import { existsSync, statfsSync } from 'node:fs';
import { freemem } from 'node:os';
import { formatBytes } from '../src/report/size.js';
import { describeMachine } from './machine.js';
import type { Options } from './options.js';
import { Peers } from './peers.js';
import { Progress } from './progress.js';
import { WrongResult } from './race.js';
import type { Results } from './results.js';
import type { Measurement, Row } from './row.js';
import { type Medium, Scene } from './scene.js';

const MEMORY = '/dev/shm';
/** A scene holds a master, a slave and a peer's copy at the same time. */
const FILES_AT_ONCE = 3;

/**
 * Measures everything that the options request, size by size, so that only one scene takes space at a time. Calls
 * `soFar` with the results after each size: a run interrupted by `stop` keeps them.
 */
export async function measureAll(
  options: Options,
  soFar: (results: Results) => void,
  stop: AbortSignal,
): Promise<Results> {
  const machine = describeMachine();
  const peers = new Peers();
  const measurements: Measurement[] = [];
  const leftOut = new Set<string>();
  const failed: string[] = [];
  const results = (): Results => {
    return { runs: options.runs, machine, peers: peers.all, measurements, leftOut: [...leftOut], failed };
  };
  for (const { name, version } of peers.all) if (version === undefined) leftOut.add(`${name}: not installed`);
  for (const medium of options.media) {
    for (const bytes of options.sizes(medium)) {
      const reason = noRoom(medium, bytes, options);
      if (reason !== undefined) leftOut.add(reason);
      else measurements.push(...(await measureScene(medium, bytes, peers, options, leftOut, failed, stop)));
      soFar(results());
    }
  }
  return results();
}

async function measureScene(
  medium: Medium,
  bytes: number,
  peers: Peers,
  { rows, runs, diskDirectory }: Options,
  leftOut: Set<string>,
  failed: string[],
  stop: AbortSignal,
): Promise<Measurement[]> {
  const progress = new Progress(`${formatBytes(bytes)}, ${medium}`);
  const onRun = (name: string): void => {
    stop.throwIfAborted();
    progress.show(name);
  };
  onRun('making the master');
  const scene = new Scene(medium, directoryOf(medium, diskDirectory), bytes, runs, peers, onRun);
  try {
    const measurements: Measurement[] = [];
    for (const row of rows.filter(({ media }) => media.includes(medium))) {
      const missing = row.missing?.(scene);
      if (missing !== undefined) leftOut.add(`${row.name}: ${missing}`);
      else measurements.push(...(await measureRow(row, scene, failed)));
    }
    return measurements;
  } finally {
    scene.remove();
    progress.end();
  }
}

/** A failure in one row does not prevent the measurement of the others. */
async function measureRow(row: Row, scene: Scene, failed: string[]): Promise<Measurement[]> {
  const { medium, bytes } = scene;
  try {
    return [{ row: row.name, medium, bytes, ...(await row.measure(scene)) }];
  } catch (error) {
    if (!(error instanceof WrongResult)) throw error;
    failed.push(`${row.name}, ${formatBytes(bytes)}, ${medium}: ${error.message}`);
    return [];
  }
}

/** Behind a slow mount the files are in memory, so that only the delay counts. */
function directoryOf(medium: Medium, diskDirectory: string): string {
  return medium === 'disk' ? diskDirectory : MEMORY;
}

/** Why there is no space for a scene; undefined when there is. */
function noRoom(medium: Medium, bytes: number, { diskDirectory }: Options): string | undefined {
  const directory = directoryOf(medium, diskDirectory);
  const what = `${formatBytes(bytes)}, ${medium}`;
  if (!existsSync(directory)) return `${what}: there is no ${directory}`;
  const { bavail, bsize } = statfsSync(directory);
  const free = directory === MEMORY ? Math.min(bavail * bsize, freemem()) : bavail * bsize;
  return free < FILES_AT_ONCE * bytes ? `${what}: no room for ${FILES_AT_ONCE} files of that size` : undefined;
}
