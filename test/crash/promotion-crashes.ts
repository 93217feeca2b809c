import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promoteUnderLock } from '../../src/commands/promote.js';
import type { PromotionResult } from '../../src/report/promotion.js';
import { slavePaths } from '../../src/standby/paths.js';
import { lastTerm, parseRole, type RoleFacts } from '../../src/standby/role.js';
import { roleOf } from '../../src/standby/role-of.js';
import type { IndexLimits } from '../../src/takeover/promotion-index.js';
import { atOnce } from './at-once.js';
import type { Change } from './change.js';
import { transactionEdges } from './edges.js';
import type { Mutation } from './enumerate.js';
import { DATA, ROLE } from './history.js';
import type { Judge } from './judge.js';
import { materialise } from './materialise.js';
import { type Disk, ModelDisk } from './model-disk.js';
import { oneSync } from './one-sync.js';
import { imageOf, PROMOTIONS } from './promotion-scenarios.js';
import { Identities, readDisk, record } from './record.js';
import { Stage } from './scenario.js';
import { type State, statesOf, VariantCache } from './states.js';
import type { Names } from './tree.js';

/**
 * A promotion must be safe at the worst moment too. After any crash of it:
 * - the slave opens, and shows one of its allowed ends;
 * - once the role is on the disk, it stands beside exactly the file that the promotion prepared;
 * - a second promotion succeeds, and no sync touches the slave;
 * - bytes that are no transaction are somewhere in the directory.
 * When the promotion has returned, the role is on the disk. The role of this side is never
 * unknown: the role file is what it was before, or complete.
 */
export interface PromotionRecord {
  readonly name: string;
  readonly start: Disk;
  readonly changes: readonly Change[];
  readonly master: string;
  /** The allowed ends before the role is set; the last one is the one that the promotion finds. */
  readonly ends: readonly Uint8Array[];
  /** Bytes that were cut off and must be kept. */
  readonly rest: Buffer | undefined;
  readonly indexLimits?: IndexLimits | undefined;
  /** The term that the promotion starts. */
  readonly term: number;
  /** That of another side, which a person decides against. */
  readonly peerTerm?: number | undefined;
}

export async function promoteIn(
  directory: string,
  { indexLimits, peerTerm }: Pick<PromotionRecord, 'indexLimits' | 'peerTerm'> = {},
): Promise<PromotionResult> {
  const paths = slavePaths(directory, DATA);
  const options = { slave: directory, file: DATA, statusFile: '', graceSeconds: 0, verify: false, indexLimits };
  if (peerTerm === undefined) return promoteUnderLock(paths, options, undefined, undefined);
  const theirs = { term: peerTerm, isPromoted: true };
  const ofMaster = { supersede: true, theirs, termOfMaster: async () => theirs };
  return promoteUnderLock(paths, { ...options, ...ofMaster }, undefined, undefined);
}

/** Records every promotion, each in a directory of its own. */
export async function recordPromotions(judge: Judge): Promise<PromotionRecord[]> {
  const records: PromotionRecord[] = [];
  for (const scenario of PROMOTIONS) {
    const directory = join(judge.scratch, `promotion-${scenario.name.replaceAll(' ', '-')}`);
    mkdirSync(directory);
    const stage = new Stage(directory, judge.openings);
    await scenario.prepare(stage);
    const identities = new Identities();
    const seen = readDisk(stage.slave, identities);
    const { start, change } = scenario.pending?.(seen, stage) ?? { start: seen, change: undefined };
    const before = await shownOf(judge, start);
    const names: Names = change?.kind === 'rename' ? afterRename(seen.names, change) : seen.names;
    const { indexLimits, peerTerm } = scenario;
    const { changes, result } = await record(stage.slave, names, identities, () => promoteIn(stage.slave, scenario));
    assert.deepEqual([result.promoted, result.exitCode], [true, scenario.exitCode ?? 0], scenario.name);
    const found = readFileSync(stage.slaveFile);
    assert.equal(found.length, result.slave.position);
    records.push({
      name: scenario.name,
      start,
      changes: change ? [change, ...changes] : changes,
      master: stage.masterFile,
      ends: [before, found],
      rest: scenario.rest,
      indexLimits,
      term: scenario.term ?? 1,
      peerTerm,
    });
  }
  return records;
}

function afterRename(names: Names, change: Extract<Change, { kind: 'rename' | 'link' }>): Names {
  const result = new Map(names).set(change.to, change.file);
  result.delete(change.from);
  return result;
}

async function shownOf(judge: Judge, disk: Disk): Promise<Uint8Array> {
  const asked = judge.opening(disk);
  judge.openings.flush();
  const found = await asked;
  assert.ok(found && 'opensAt' in found, JSON.stringify(found));
  return imageOf(disk, DATA).subarray(0, found.opensAt);
}

/** Describes every bad state of every crash point; `seen` receives the states' keys. */
export async function promotionProblems(
  of: PromotionRecord,
  judge: Judge,
  seen: Set<string>,
  mutation?: Mutation,
): Promise<string[]> {
  const problems: string[] = [];
  const found = of.ends.at(-1) ?? new Uint8Array();
  const judged = new Set<string>();
  for (const { point, state, returned } of crashesOf(of, transactionEdges(found), mutation)) {
    const key = `${state.key} ${returned}`;
    if (judged.has(key)) continue;
    judged.add(key);
    seen.add(state.key);
    const problem =
      (await shownProblem(of, judge, state, returned)) ?? (await atOnce(() => againProblem(of, judge, state)));
    if (problem) problems.push(`promotion ${of.name}, after change ${point}: ${problem}`);
    if (problem && mutation) break;
  }
  return problems;
}

export function* crashesOf(
  of: Pick<PromotionRecord, 'start' | 'changes'>,
  edges: readonly number[],
  mutation: Mutation | undefined,
): Generator<{ readonly point: number; readonly state: State; readonly returned: boolean }> {
  const disk = new ModelDisk(of.start);
  const variants = new VariantCache();
  for (let point = -1; point < of.changes.length; point++) {
    const change = of.changes[point];
    if (change) disk.apply(mutation?.lost.has(point) ? { ...change, lost: true } : change);
    const returned = point === of.changes.length - 1;
    for (const state of statesOf(disk, edges, variants)) yield { point, state, returned };
  }
}

async function shownProblem(
  of: PromotionRecord,
  judge: Judge,
  state: State,
  returned: boolean,
): Promise<string | undefined> {
  const found = of.ends.at(-1) ?? new Uint8Array();
  const asked = judge.opening(state);
  judge.openings.flush();
  const opening = await asked;
  if (!opening || 'error' in opening) return `FileStorage does not open it: ${opening?.error ?? 'no file'}`;
  const bytes = imageOf(state, DATA);
  const shown = bytes.subarray(0, opening.opensAt);
  if (!of.ends.some((end) => Buffer.compare(end, shown) === 0)) return `FileStorage shows ${shown.length} bytes`;
  if (!opening.indexRight) return 'FileStorage takes a wrong index';
  const role = roleIn(state);
  if (typeof role === 'string') return role;
  const promoted = role?.role === 'master' && lastTerm(role) === of.term;
  const before = roleIn(of.start);
  const isAsBefore = JSON.stringify(role, plain) === JSON.stringify(before, plain);
  if (!promoted && !isAsBefore) return 'another role file, without the new term';
  if (returned && !promoted) return 'it has returned, and the role is not on the disk';
  if (promoted && Buffer.compare(bytes, found) !== 0) return 'the role stands beside another file';
  return undefined;
}

function plain(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}

/** The facts of a state's role file, or a text that names its defect. */
export function roleIn(state: Disk): RoleFacts | undefined | string {
  if (!state.names.has(ROLE)) return undefined;
  const parsed = parseRole(Buffer.from(imageOf(state, ROLE)).toString('utf8'));
  return 'facts' in parsed ? parsed.facts : `the role is unknown: ${parsed.problem}`;
}

async function againProblem(of: PromotionRecord, judge: Judge, state: State): Promise<string | undefined> {
  const directory = join(judge.scratch, 'again');
  mkdirSync(directory, { recursive: true });
  materialise(state, directory);
  const again = await promoteIn(directory, of);
  if (!again.promoted) return `promoted again: ${again.reason}`;
  const bytes = readFileSync(join(directory, DATA));
  if (!of.ends.some((end) => Buffer.compare(end, bytes) === 0)) return `promoted again it has ${bytes.length} bytes`;
  const role = roleOf(slavePaths(directory, DATA));
  if (!('facts' in role) || role.facts.role !== 'master') return 'promoted again it has no role';
  const [last, before] = [role.facts.terms.at(-1), roleIn(of.start)];
  if (last?.term !== of.term) return `promoted again it is in term ${last?.term}, not ${of.term}`;
  if (last?.position !== bytes.length) return `the term began at ${last?.position}, not at ${bytes.length}`;
  if (typeof before === 'object' && before.terms.some(({ term }, at) => role.facts.terms[at]?.term !== term))
    return 'an old term is forgotten';
  const { rest } = of;
  if (rest && !readdirSync(directory).some((name) => readFileSync(join(directory, name)).includes(rest)))
    return 'bytes that were cut off are gone';
  const synced = await oneSync(of.master, directory);
  return synced.kind === 'off' ? undefined : `a sync reports: ${synced.report}`;
}
