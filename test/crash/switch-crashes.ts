import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { restoreSwitch, type Switch, writeSwitch } from '../../src/standby/switch.js';
import type { Change } from './change.js';
import type { Mutation } from './enumerate.js';
import { type Disk, ModelDisk } from './model-disk.js';
import { Identities, readDisk, record } from './record.js';
import { type State, statesOf, VariantCache } from './states.js';

/**
 * A failover writes the status file at the worst moment: after any crash it holds the complete old line or the complete
 * new one, readable by all, and the new one once `off` has returned.
 */
export interface SwitchRecord {
  readonly start: Disk;
  readonly changes: readonly Change[];
  /** The allowed contents: before (undefined: no file), and after. */
  readonly before: string | undefined;
  /** undefined: no file. */
  readonly after: string | undefined;
}

const NAME = 'syncPozo.status';
const textOf = (value: Switch): string => `SYNCING=${value === 'on' ? 1 : 0}\n`;

/** Records a write of the switch, in a directory that is created for it. */
export async function recordSwitch(directory: string, from: Switch | undefined, to: Switch): Promise<SwitchRecord> {
  mkdirSync(directory);
  const path = join(directory, NAME);
  const before = from && textOf(from);
  if (before !== undefined) writeFileSync(path, before);
  const identities = new Identities();
  const start = readDisk(directory, identities);
  const { changes } = await record(directory, start.names, identities, async () => writeSwitch(path, to));
  return { start, changes, before, after: textOf(to) };
}

/** Records how the switch is restored after a write; undefined: there was no file. */
export async function recordSwitchPutBack(directory: string, to: Switch | undefined): Promise<SwitchRecord> {
  mkdirSync(directory);
  const path = join(directory, NAME);
  const [before, after] = [textOf('off'), to && textOf(to)];
  writeFileSync(path, before);
  const identities = new Identities();
  const start = readDisk(directory, identities);
  const { changes } = await record(directory, start.names, identities, async () =>
    restoreSwitch(path, after, undefined),
  );
  return { start, changes, before, after };
}

/** Describes every bad state of every crash point; `seen` receives the states' keys. */
export function switchProblems(of: SwitchRecord, seen: Set<string>, mutation?: Mutation): string[] {
  const disk = new ModelDisk(of.start);
  const variants = new VariantCache();
  const problems: string[] = [];
  for (let point = -1; point < of.changes.length; point++) {
    const change = of.changes[point];
    if (change) disk.apply(mutation?.lost.has(point) ? { ...change, lost: true } : change);
    const returned = point === of.changes.length - 1;
    for (const state of statesOf(disk, [], variants)) {
      seen.add(state.key);
      const problem = problemOf(of, state, returned);
      if (problem) problems.push(`after change ${point}: ${problem}`);
    }
  }
  return problems;
}

function problemOf(of: SwitchRecord, state: State, returned: boolean): string | undefined {
  const file = state.names.get(NAME);
  const image = file === undefined ? undefined : state.images.get(file);
  const text = image && Buffer.from(image.bytes).toString('utf8');
  if (text !== of.after && (returned || text !== of.before)) return `the status file holds ${JSON.stringify(text)}`;
  const isNew = file !== undefined && !of.start.images.has(file);
  const given = of.changes.filter((change) => change.kind === 'attributes').length;
  return isNew && image?.attributes !== given ? 'the status file has lost its mode' : undefined;
}
