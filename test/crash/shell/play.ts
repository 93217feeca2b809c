import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { traced } from '../../faults/strace.js';
import { ModelDisk } from '../model-disk.js';
import { type State, statesOf, VariantCache } from '../states.js';
import { CallRecorder, contentsOf, RECORDED, type Recorded } from './calls.js';

/** Text by path; of the model's own directory by name. */
export type Files = ReadonlyMap<string, string>;

/** A real part of the scripts that writes files which outlive a boot, and what the readers of those files may find. */
export interface Scene {
  readonly name: string;
  /** The scripts that have its syncs, below scripts/. */
  readonly scripts: readonly string[];
  /** Makes the files before, in an empty directory, and says how to run it with the scripts in `scripts`. */
  prepare(root: string, scripts: string): Program;
  /** What is wrong with what a power cut has left. `promised`: behind the moment from which on it all has to be durable. */
  judge(left: Files, promised: boolean, root: string): string | undefined;
}

export interface Program {
  /** Whose files are of interest, the first one as the model's own, the others beside it. */
  readonly directories: readonly string[];
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The arguments of the program with whose start the promise begins, as strace shows them. */
  readonly promise: string;
}

/** The last command of a scene that is a text for a shell, and the promise of such a scene. */
export const LAST_COMMAND = '/bin/true all-is-durable';
export const LAST = '["/bin/true", "all-is-durable"]';

export interface Played {
  readonly start: CallRecorder['start'];
  readonly recorded: Recorded;
}

/** Runs a scene in an empty directory, and records its system calls. */
export function play(scene: Scene, root: string, scripts: string): Played {
  const { directories, command, env, promise } = scene.prepare(root, scripts);
  const recorder = new CallRecorder(directories);
  const log = join(root, 'trace');
  const strace = traced({ log, calls: RECORDED, stringLength: 65_536 });
  const [program = '', ...args] = [
    ...strace,
    '--seccomp-bpf',
    '-e',
    'inject=?copy_file_range:error=EOPNOTSUPP',
    ...command,
  ];
  const run = spawnSync(program, args, {
    env: { PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin', ...env },
    encoding: 'utf8',
    timeout: 60_000,
  });
  const recorded = recorder.record(readFileSync(log, 'utf8'), (args) => args.includes(promise));
  const said = `${scene.name}: ${run.stdout}${run.stderr}`;
  assert.ok(recorded.promisedAt !== undefined && recorded.changes.length > 0, said);
  const disk = new ModelDisk(recorder.start);
  for (const change of recorded.changes) disk.apply(change);
  assert.deepEqual(filesOf(disk.seen()), contentsOf(directories), `the trace is complete: ${said}`);
  return { start: recorder.start, recorded };
}

/** Every state that a power cut may leave, at each point of the program, and whether everything was promised by then. */
export function* cuts({ start, recorded }: Played): Generator<{ point: number; state: State; promised: boolean }> {
  const disk = new ModelDisk(start);
  const variants = new VariantCache();
  const { changes, promisedAt = changes.length } = recorded;
  for (let point = 0; point <= changes.length; point++) {
    const change = changes[point - 1];
    if (change) disk.apply(change);
    for (const state of statesOf(disk, [], variants)) yield { point, state, promised: point >= promisedAt };
  }
}

/** Describes what is wrong; empty if nothing is. `isFirstEnough`: one problem is. */
export function problemsOf(scene: Scene, played: Played, root: string, isFirstEnough = false): string[] {
  const problems = new Set<string>();
  for (const { point, state, promised } of cuts(played)) {
    const problem = lostMode(played, state) ?? scene.judge(filesOf(state), promised, root);
    if (problem === undefined) continue;
    const kind = played.recorded.changes[point - 1]?.kind ?? 'the start';
    problems.add(`after change ${point} (${kind})${promised ? ', promised' : ''}: ${problem}`);
    if (isFirstEnough) break;
  }
  return [...problems];
}

/** A file that got its name by a rename has the mode that it was given: what root has made, the user of ZEO may read. */
function lostMode({ start, recorded: { changes } }: Played, { names, images }: State): string | undefined {
  const renamed = new Set(changes.flatMap((change) => (change.kind === 'rename' ? [change.to] : [])));
  const given = (file: number): number =>
    changes.filter((change) => change.kind === 'attributes' && change.file === file).length;
  const lost = [...names].find(
    ([name, file]) => renamed.has(name) && !start.images.has(file) && (images.get(file)?.attributes ?? 0) < given(file),
  );
  return lost && `${lost[0]} has lost its mode`;
}

function filesOf({ names, images }: Pick<State, 'names' | 'images'>): Map<string, string> {
  const texts = [...names].map(
    ([name, file]) => [name, Buffer.from(images.get(file)?.bytes ?? []).toString('utf8')] as const,
  );
  return new Map(texts.sort(([a], [b]) => (a < b ? -1 : 1)));
}
