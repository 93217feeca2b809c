import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ReadDeadline } from '../../src/pipeline/read-deadline.js';
import { runRejoin } from '../../src/rejoin/rejoin.js';
import type { RejoinResult } from '../../src/rejoin/result.js';
import { SILENT } from '../../src/report/log.js';
import { EXIT } from '../../src/round/exit.js';
import { parseDat } from '../../src/standby/dat.js';
import type { Change } from './change.js';
import { transactionEdges } from './edges.js';
import type { Mutation } from './enumerate.js';
import { DAT, DATA, ROLE } from './history.js';
import { startsWith } from './in-model.js';
import type { Judge } from './judge.js';
import { materialise } from './materialise.js';
import { type Disk, ModelDisk } from './model-disk.js';
import { oneSync, SIZES } from './one-sync.js';
import { crashesOf, promoteIn, roleIn } from './promotion-crashes.js';
import { imageOf } from './promotion-scenarios.js';
import { Identities, readDisk, record } from './record.js';
import type { RejoinBlobs } from './rejoin-blobs.js';
import { REJOINS } from './rejoin-scenarios.js';
import { Stage } from './scenario.js';
import { stateOf } from './states.js';

/**
 * A rejoin must be safe at the worst moment too. After any crash of it:
 * - every transaction of the old master is in its file, or in the file of what was lost, and so is what followed the last one;
 * - the role is what it was, and the file as well; or `rejoining`, with which no sync and no promotion begins; or `slave`, beside
 *   a file that is the serving side's;
 * - FileStorage opens the file, with no wrong index, and shows the old master's transactions or the serving side's;
 * - the next rejoin succeeds, keeps nothing twice, and the sync after it finds nothing new.
 */
export interface RejoinRecord {
  readonly name: string;
  readonly full: boolean;
  readonly start: Disk;
  readonly changes: readonly Change[];
  readonly master: string;
  /** The serving side's file, the old master's committed part, and what followed that. */
  readonly served: Uint8Array;
  readonly old: Uint8Array;
  readonly tail: Uint8Array;
  /** The file of what was lost; undefined: nothing was. */
  readonly lost: Uint8Array | undefined;
  readonly blobs: RejoinBlobs | undefined;
}

/** Records every rejoin, each in a directory of its own. */
export async function recordRejoins(judge: Judge, scenarios = REJOINS): Promise<RejoinRecord[]> {
  const records: RejoinRecord[] = [];
  for (const scenario of scenarios) {
    const directory = join(judge.scratch, `rejoin-${scenario.name.replaceAll(' ', '-')}`);
    mkdirSync(directory);
    const stage = new Stage(directory, judge.openings);
    const blobs = await scenario.prepare(stage);
    const full = scenario.full === true;
    const before = readFileSync(stage.slaveFile);
    const identities = new Identities();
    const start = readDisk(stage.slave, identities, blobs !== undefined);
    const { changes, result } = await record(stage.slave, start, identities, () =>
      rejoinIn(stage.masterFile, stage.slave, full, blobs),
    );
    assert.equal(result.exitCode, 0, `${scenario.name}: ${result.reason}`);
    assert.equal(result.action, full ? 'full' : 'rewind');
    const [lostName] = readdirSync(stage.slave).filter(isLost);
    assert.equal(blobs?.problemAfter(stage.slave, readdirSync(stage.slave)), undefined);
    assert.equal(result.lost?.file ?? undefined, lostName && join(stage.slave, lostName));
    const end = transactionEdges(before).at(-1) ?? 0;
    records.push({
      name: scenario.name,
      full,
      start,
      changes,
      master: stage.masterFile,
      served: readFileSync(stage.masterFile),
      old: before.subarray(0, end),
      tail: before.subarray(end),
      lost: lostName === undefined ? undefined : readFileSync(join(stage.slave, lostName)),
      blobs,
    });
  }
  return records;
}

/** Records the rejoin that follows the death of one after this change; no power was cut. */
export async function rejoinAfter(of: RejoinRecord, point: number, judge: Judge): Promise<RejoinRecord> {
  const disk = new ModelDisk(of.start);
  for (const change of of.changes.slice(0, point + 1)) disk.apply(change);
  const directory = join(judge.scratch, 'rejoined-again');
  mkdirSync(directory, { recursive: true });
  const seen = disk.seen();
  const identities = materialise(seen, directory);
  const { changes } = await record(directory, seen, identities, () =>
    rejoinIn(of.master, directory, of.full, of.blobs),
  );
  return {
    ...of,
    name: `${of.name}, killed after change ${point}`,
    changes: [...of.changes.slice(0, point + 1), ...changes],
  };
}

export function rejoinIn(master: string, slave: string, full = false, blobs?: RejoinBlobs): Promise<RejoinResult> {
  return runRejoin({
    master,
    slave,
    file: DATA,
    statusFile: join(slave, '..', 'status'),
    full,
    dryRun: false,
    keepSwitch: true,
    deadline: new ReadDeadline(30),
    log: SILENT,
    sync: { ...SIZES, workers: 0, blobs: blobs?.back(slave) },
    storage: undefined,
    say: () => {},
    confirm: () => true,
    before: async () => undefined,
    onEvents: () => {},
  });
}

function isLost(name: string): boolean {
  return /^lost-[0-9a-f-]+\.fs$/.test(name);
}

/** Describes every bad state of every crash point; `seen` receives the states' keys, `recovered` those from which a rejoin was judged. */
export async function rejoinProblems(
  of: RejoinRecord,
  judge: Judge,
  seen: Set<string>,
  mutation?: Mutation,
  recovered = new Set<string>(),
): Promise<string[]> {
  const problems: string[] = [];
  const judged = new Set<string>();
  for (const { point, state, returned } of crashesOf(of, transactionEdges(of.served), mutation)) {
    const key = `${state.key} ${returned}`;
    if (judged.has(key)) continue;
    judged.add(key);
    seen.add(state.key);
    const lasting = lastingOf(state);
    const isNew = !recovered.has(lasting);
    recovered.add(lasting);
    const problem =
      problemIn(of, state, returned) ??
      (await openingProblem(of, judge, state)) ??
      (isNew ? await againProblem(of, judge, state) : undefined);
    if (problem) problems.push(`rejoin ${of.name}, after change ${point}: ${problem}`);
    if (problem && mutation) break;
  }
  return problems;
}

/** A key of the state without what is unfinished under a temporary name: every run removes that and makes it again. */
function lastingOf(state: Disk): string {
  const names = [...state.names].filter(([name]) => !name.endsWith('.tmp')).sort();
  return stateOf({ ...state, names: new Map(names) }).key;
}

function problemIn(of: RejoinRecord, state: Disk, returned: boolean): string | undefined {
  if (!state.names.has(DATA)) return 'the file is gone';
  const data = imageOf(state, DATA);
  const role = roleIn(state);
  if (typeof role === 'string') return role;
  const isOld = startsWith(data, of.old) && startsWith(data.subarray(of.old.length), of.tail);
  if (!isOld && (role === undefined || role.role === 'master')) return 'the file has changed, and the role has not';
  if (returned && role?.role !== 'slave') return `it has returned, and the role is ${role?.role}`;
  if (role?.role === 'slave') {
    if (Buffer.compare(data, of.served) !== 0) return 'it is a slave, and its file is not that of the serving side';
    const parsed = parseDat(Buffer.from(imageOf(state, DAT)).toString('utf8'));
    if (!('dat' in parsed) || parsed.dat.claim.position !== data.length)
      return 'it is a slave, and claims something else';
  }
  return of.blobs?.problemIn(state, role?.role === 'slave') ?? lossIn(of, state, isOld);
}

/** What only the old master had, and is in no file of this state. */
function lossIn(of: RejoinRecord, state: Disk, isOld: boolean): string | undefined {
  if (isOld) return undefined;
  const names = [...state.names.keys()];
  const keepsOld = names.some((name) => name !== DATA && startsWith(imageOf(state, name), of.old));
  const { lost, tail } = of;
  if (lost && !keepsOld) {
    const file = names.find((name) => isLost(name) && Buffer.compare(imageOf(state, name), lost) === 0);
    if (file === undefined) return 'transactions of the old master are gone';
    for (const ending of ['.json', '.txt'])
      if (!state.names.has(file.replace('.fs', ending))) return 'the report of what was lost is gone';
  }
  const hasTail = names.some((name) => Buffer.from(imageOf(state, name)).includes(Buffer.from(tail)));
  return hasTail ? undefined : 'what followed the last transaction of the old master is gone';
}

async function openingProblem(of: RejoinRecord, judge: Judge, state: Disk): Promise<string | undefined> {
  const asked = judge.opening(state);
  judge.openings.flush();
  const opening = await asked;
  if (!opening || 'error' in opening) return `FileStorage does not open it: ${opening?.error ?? 'no file'}`;
  const shown = imageOf(state, DATA).subarray(0, opening.opensAt);
  if (!startsWith(of.old, shown) && !startsWith(of.served, shown))
    return `FileStorage shows ${shown.length} bytes of neither side`;
  return opening.indexRight ? undefined : 'FileStorage takes a wrong index';
}

const refused = new Set<string>();

async function againProblem(of: RejoinRecord, judge: Judge, state: Disk): Promise<string | undefined> {
  const directory = join(judge.scratch, 'rejoined');
  mkdirSync(directory, { recursive: true });
  materialise(state, directory);
  const role = roleIn(state);
  const text = Buffer.from(imageOf(state, ROLE)).toString('utf8');
  if (typeof role === 'object' && role.role === 'rejoining' && !refused.has(text)) {
    refused.add(text);
    const synced = await oneSync(of.master, directory);
    if (synced.exitCode !== 3) return `in the middle of a rejoin, a sync reports: ${synced.report}`;
    await assert.rejects(promoteIn(directory), /a rejoin has begun here/);
    materialise(state, directory);
  }
  const again = await rejoinIn(of.master, directory, of.full, of.blobs).catch((error: unknown) => ({
    exitCode: EXIT.usage,
    reason: String(error),
  }));
  if (again.exitCode !== 0) return `the next rejoin ends with ${again.exitCode}: ${again.reason}`;
  if (Buffer.compare(readFileSync(join(directory, DATA)), of.served) !== 0)
    return 'after the next rejoin the file is not that of the serving side';
  const names = readdirSync(directory);
  const kept = names.filter(isLost);
  if (kept.length > 1) return `what was lost is kept more than once: ${kept.join(', ')}`;
  const tails = names.filter((name) => name.includes('.tr') && readFileSync(join(directory, name)).equals(of.tail));
  if (tails.length > 1) return 'the tail is kept more than once';
  const wrong = of.blobs?.problemAfter(directory, names);
  if (wrong) return `after the next rejoin ${wrong}`;
  const synced = await oneSync(of.master, directory, false, 0, of.blobs?.back(directory));
  return synced.kind === 'none' ? undefined : `the sync after it reports: ${synced.report}`;
}
