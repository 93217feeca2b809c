import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { blobCaseOf, blobsInMemoryOnly } from './blob-play.js';
import { settingsFor } from './blob-recovery.js';
import type { Case } from './case.js';
import type { Change } from './change.js';
import { DAT, DATA, INDEX } from './history.js';
import { EMPTY } from './image.js';
import { type Judge, needsFull } from './judge.js';
import { materialise } from './materialise.js';
import { type Disk, ModelDisk } from './model-disk.js';
import { oneSync } from './one-sync.js';
import { Identities, readDisk, record } from './record.js';
import { type Scenario, Stage } from './scenario.js';
import type { State } from './states.js';

/** A recorded scenario. */
export interface Played {
  readonly case: Case;
  readonly scratch: string;
}

/** Plays a scenario in its own directory and records its run. */
export async function play(scenario: Scenario, judge: Judge): Promise<Played> {
  const directory = join(judge.scratch, scenario.name.replaceAll(' ', '-'));
  mkdirSync(directory);
  const stage = new Stage(directory, judge.openings);
  await scenario.prepare(stage);
  stage.remember();
  const identities = new Identities();
  const start = readDisk(stage.slave, identities, stage.blobs !== undefined);
  const shown = await shownBy(judge, start);
  const during = scenario.during?.bind(scenario, stage);
  const before = masterAt(stage);
  const swapped = scenario.swappedUnsynced ? swapInMemory(stage, start) : undefined;
  const blobs = blobCaseOf(scenario, stage, start, shown);
  const { changes, result } = await record(
    stage.slave,
    swapped?.seen ?? start,
    identities,
    () => stage.run(scenario),
    during,
  );
  assert.equal(result.exitCode, scenario.exitCode ?? 0, `${scenario.name}: ${result.reason}`);
  if (!during) assert.deepEqual(masterAt(stage), before, `${scenario.name}: the master is as it was (invariant 7)`);
  scenario.afterwards?.(stage);
  stage.remember();
  const kept = scenario.keepsOwn ? start.images.get(start.names.get(DATA) ?? -1) : undefined;
  const plain = { start, changes: swapped ? [swapped.change, ...changes] : changes, from: 0 };
  const begun = scenario.copiedUnsynced
    ? inMemoryOnly(start, changes)
    : scenario.blobsUnsynced
      ? blobsInMemoryOnly(start, changes)
      : plain;
  return {
    scratch: directory,
    case: {
      name: scenario.name,
      ...begun,
      master: stage.masterFile,
      generations: stage.generations,
      shown,
      claimBroken: scenario.claimBroken ?? false,
      neverRebuild: !(scenario.full || scenario.packed || scenario.keepsOwn),
      kept,
      needsForce: kept !== undefined && !scenario.keptInDoubt && !scenario.staysRefused,
      staysRefused: scenario.staysRefused ?? 'no',
      terms: stage.terms,
      movesAside: scenario.movesAside ?? false,
      repairs: scenario.repairs ?? false,
      reportsRepairs: scenario.repairs ?? false,
      scrub: scenario.scrub ?? 0,
      packedFiles: scenario.packedFiles ?? 0,
      blobs,
    },
  };
}

/** Makes the slave's bytes a write that is pending when the run begins. Judged are the states since the first claim or index. */
function inMemoryOnly(start: Disk, changes: readonly Change[]): Pick<Case, 'start' | 'changes' | 'from'> {
  const file = start.names.get(DATA) ?? -1;
  const bytes = start.images.get(file)?.bytes ?? new Uint8Array();
  const copying: Change = { kind: 'write', file, position: 0, bytes, site: 'another program', within: [] };
  const all = [copying, ...changes];
  const claimed = all.findIndex((change) => change.kind === 'rename' && (change.to === DAT || change.to === INDEX));
  const images = new Map(start.images).set(file, EMPTY);
  return { start: { names: start.names, images }, changes: all, from: claimed + 1 };
}

/** The swap's last step is pending; the run sees the names after it. */
function swapInMemory(stage: Stage, start: Disk): { readonly change: Change; readonly seen: Disk } {
  const fresh = `${DATA}.new`;
  renameSync(join(stage.slave, fresh), stage.slaveFile);
  const file = start.names.get(fresh) ?? -1;
  const change: Change = { kind: 'rename', from: fresh, to: DATA, file, site: 'a run that was killed', within: [] };
  const disk = new ModelDisk(start);
  disk.apply(change);
  return { change, seen: disk.seen() };
}

function masterAt(stage: Stage): unknown {
  if (!existsSync(stage.masterFile)) return undefined;
  const { ino, size, mtimeMs, mode } = statSync(stage.masterFile);
  return { ino, size, mtimeMs, mode, bytes: readFileSync(stage.masterFile) };
}

async function shownBy(judge: Judge, disk: Disk): Promise<Uint8Array | undefined> {
  const opening = judge.opening(disk);
  judge.openings.flush();
  const found = await opening;
  if (!found) return undefined;
  if ('error' in found) throw new Error(`the scenario's slave cannot be opened: ${found.error}`);
  return disk.images.get(disk.names.get(DATA) ?? -1)?.bytes.subarray(0, found.opensAt);
}

/** The process dies after change number `point`, and nothing else does; the next sync runs; then the power fails. */
export async function afterKill({ case: of, scratch }: Played, point: number): Promise<Case> {
  const disk = new ModelDisk(of.start);
  for (const change of of.changes.slice(0, point + 1)) disk.apply(change);
  const changes = await recordRecovery(of, disk.seen(), scratch);
  return {
    ...of,
    name: `${of.name}, killed after ${point}`,
    changes: [...of.changes.slice(0, point + 1), ...changes],
    from: point + 2,
    // The run that repaired was killed, and the next one may have found nothing wrong.
    reportsRepairs: false,
  };
}

/** The power fails and leaves this state; the next sync runs; then the power fails again. */
export async function afterPowerCut({ case: of, scratch }: Played, state: State, judge: Judge): Promise<Case> {
  const changes = await recordRecovery(of, state, scratch);
  const shown = await shownBy(judge, state);
  return { ...of, name: `${of.name}, power cut`, start: state, changes, from: 1, shown, reportsRepairs: false };
}

async function recordRecovery(of: Case, disk: Disk, scratch: string): Promise<Case['changes']> {
  const directory = join(scratch, 'recovery', 'slave');
  mkdirSync(directory, { recursive: true });
  const identities = materialise(disk, directory);
  const blobs = of.blobs && settingsFor(of.blobs, directory);
  const run = () => oneSync(of.master, directory, needsFull(of, disk), of.scrub, blobs, of.packedFiles);
  return (await record(directory, disk, identities, run)).changes;
}
