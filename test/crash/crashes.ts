import { enumerate } from './enumerate.js';
import type { Judge } from './judge.js';
import { afterKill, afterPowerCut, play } from './play.js';
import type { Line } from './report.js';
import type { Scenario } from './scenario.js';
import type { State } from './states.js';

/** Of so many states after a second crash, one is synced, unless every state is. */
const SAMPLED = 8;

/** How deep to enumerate. */
export interface Depth {
  /** Also enumerate crashes during the recovery of large and slow scenarios. */
  readonly large: boolean;
  /** Also enumerate crashes during the recovery from every state after a power cut, instead of one per kind of recovery. */
  readonly everyState: boolean;
  /** Sync from every state after a second crash, instead of from a sample. The model and FileStorage judge all of them anyway. */
  readonly everySync: boolean;
}

/**
 * Enumerates a scenario: the crashes of its run; the death of the process after each change, and the crashes of the run
 * that follows; power cuts, and the crashes of the run that follows.
 */
export async function crashesOf(scenario: Scenario, judge: Judge, depth: Depth, counted: Set<string>): Promise<Line> {
  const began = performance.now();
  const played = await play(scenario, judge);
  const judged = new Set<string>();
  const recoveries = new Map<string, State>();
  const onState = (state: State, did: string): void => {
    const kind = depth.everyState ? state.key : did;
    if (!recoveries.has(kind)) recoveries.set(kind, state);
  };
  const found = await enumerate(played.case, judge, { judged, onState });
  const bad = [...found.bad];
  let { points } = found;
  const goOn = async (of: typeof played.case): Promise<void> => {
    const more = await enumerate(of, judge, { judged, ...(!depth.everySync && { isSynced: isSampled }) });
    points += more.points;
    bad.push(...more.bad);
  };
  const isDeep = depth.large || !(scenario.large || scenario.slow);
  for (let point = played.case.from - 1; point < played.case.changes.length; point++) {
    const change = played.case.changes[point];
    if (isDeep || (change && scenario.diesAfter?.(change))) await goOn(await afterKill(played, point));
  }
  if (isDeep) {
    for (const state of recoveries.values()) await goOn(await afterPowerCut(played, state, judge));
  }
  const before = counted.size;
  for (const key of judged) counted.add(key);
  const seconds = (performance.now() - began) / 1000;
  return { scenario: scenario.name, points, states: counted.size - before, seconds, bad };
}

/** The key is a hash: the same states in every run. */
function isSampled({ key }: State): boolean {
  return Buffer.from(key, 'base64').readUInt16LE() % SAMPLED === 0;
}
