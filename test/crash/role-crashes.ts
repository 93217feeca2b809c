import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatTid } from '../../src/filestorage/tid.js';
import { readDatFile } from '../../src/standby/dat-file.js';
import { type SlavePaths, slavePaths } from '../../src/standby/paths.js';
import { carryOver, clearRole } from '../../src/standby/role-of.js';
import { demote } from '../../src/takeover/demote.js';
import { xxh64 } from '../support/chunks.js';
import { atOnce } from './at-once.js';
import type { Change } from './change.js';
import type { Mutation } from './enumerate.js';
import { DAT, DATA, ROLE } from './history.js';
import type { Judge } from './judge.js';
import { materialise } from './materialise.js';
import type { Disk } from './model-disk.js';
import { oneSync } from './one-sync.js';
import { crashesOf, promoteIn, roleIn } from './promotion-crashes.js';
import { imageOf, inStep } from './promotion-scenarios.js';
import { Identities, readDisk, record } from './record.js';
import { Stage } from './scenario.js';

/**
 * The role changes without a promotion: a slave is demoted, or the role in an old `.dat` is converted into a role file.
 * After any crash of it
 * - this side is promoted, by the role file or else by the old `.dat`, or it is a slave; its role is never unknown;
 * - it is no slave as long as a `.dat` exists that a server's writes have made untrue;
 * - as long as it is promoted no sync writes to it;
 * - the slave's bytes and the earlier terms are unchanged.
 */
export interface RoleChange {
  readonly name: string;
  readonly start: Disk;
  readonly changes: readonly Change[];
  readonly master: string;
  /** The role once it has returned. */
  readonly becomes: 'master' | 'slave';
}

/** Replaces the `.dat` by one of the previous version, which had no role file, of a slave that was promoted at its claim. */
function makeOld({ dat, role }: SlavePaths, old: Old): void {
  if (old === 'alone') rmSync(role);
  const file = readDatFile({ dat });
  assert.ok('dat' in file);
  const { position, tid } = file.dat.claim;
  const lines = readFileSync(dat, 'utf8').split('\n').slice(1, -2);
  const [head, chunks] = [
    lines.filter((line) => !/^(chunk|copied)/.test(line)),
    lines.filter((line) => /^chunk/.test(line)),
  ];
  const promoted = `promoted ${position} ${formatTid(tid)} 1795411149500 -`;
  const body = ['syncpozo 2', 'role promoted', ...head, promoted, ...chunks].map((line) => `${line}\n`).join('');
  writeFileSync(dat, `${body}end ${chunks.length} ${xxh64(Buffer.from(body))}\n`);
}

function demoteNow(paths: SlavePaths): void {
  carryOver(paths, readDatFile(paths));
  demote(paths, clearRole(paths), true);
}

function carryOverNow(paths: SlavePaths): void {
  carryOver(paths, readDatFile(paths));
}

/** An old `.dat` alone, or beside a slave's role file: this version made the slave, the previous one promoted it. */
type Old = 'alone' | 'beside a role file';

const CHANGES: readonly {
  readonly name: string;
  readonly old?: Old;
  readonly becomes: 'master' | 'slave';
  run(paths: SlavePaths): void;
}[] = [
  { name: 'demotion', becomes: 'slave', run: demoteNow },
  { name: 'demotion by an old .dat', old: 'alone', becomes: 'slave', run: demoteNow },
  { name: 'demotion by an old .dat and a role file', old: 'beside a role file', becomes: 'slave', run: demoteNow },
  { name: 'conversion', old: 'alone', becomes: 'master', run: carryOverNow },
  { name: 'conversion beside a role file', old: 'beside a role file', becomes: 'master', run: carryOverNow },
];

/** Records each in its own directory. */
export async function recordRoleChanges(judge: Judge): Promise<RoleChange[]> {
  const records: RoleChange[] = [];
  for (const { name, old, becomes, run } of CHANGES) {
    const directory = join(judge.scratch, `role-${name.replaceAll(' ', '-')}`);
    mkdirSync(directory);
    const stage = new Stage(directory, judge.openings);
    await inStep(stage);
    const paths = slavePaths(stage.slave, DATA);
    if (old) makeOld(paths, old);
    else await promoteIn(stage.slave);
    const identities = new Identities();
    const start = readDisk(stage.slave, identities);
    const { changes } = await record(stage.slave, start.names, identities, async () => run(paths));
    records.push({ name, start, changes, master: stage.masterFile, becomes });
  }
  return records;
}

/** Describes every bad state of every crash point; `seen` receives the states' keys. */
export async function roleChangeProblems(
  of: RoleChange,
  judge: Judge,
  seen: Set<string>,
  mutation?: Mutation,
): Promise<string[]> {
  const problems: string[] = [];
  const judged = new Set<string>();
  for (const { point, state, returned } of crashesOf(of, [], mutation)) {
    const key = `${state.key} ${returned}`;
    if (judged.has(key)) continue;
    judged.add(key);
    seen.add(state.key);
    const problem = problemIn(of, state, returned) ?? (await atOnce(() => syncProblem(of, judge, state)));
    if (problem) problems.push(`${of.name}, after change ${point}: ${problem}`);
    if (problem && mutation) break;
  }
  return problems;
}

function problemIn(of: RoleChange, state: Disk, returned: boolean): string | undefined {
  if (Buffer.compare(imageOf(state, DATA), imageOf(of.start, DATA)) !== 0) return 'the slave has changed';
  const role = roleIn(state);
  if (typeof role === 'string') return role;
  if (returned && role?.role !== of.becomes) return `it has returned, and the role file has ${role?.role}`;
  if (role?.role !== 'master' && isOldPromoted(state)) {
    return returned ? 'it has returned, and the old .dat stands' : undefined;
  }
  if (role === undefined) return 'the role is gone with the old .dat';
  if (role.terms.length !== 1 || role.terms[0]?.term !== 1) return 'its term is gone';
  if (role.role === 'slave' && state.names.has(DAT)) return 'it is a slave, beside a .dat that is out of date';
  return undefined;
}

function isOldPromoted(state: Disk): boolean {
  if (!state.names.has(DAT)) return false;
  return Buffer.from(imageOf(state, DAT)).toString('utf8').startsWith('syncpozo 2\nrole promoted\n');
}

/** As long as it is promoted no sync writes to it; once converted, whatever happens to its `.dat`. */
async function syncProblem(of: RoleChange, judge: Judge, state: Disk): Promise<string | undefined> {
  const role = roleIn(state);
  if (typeof role === 'object' && role.role === 'slave' && !isOldPromoted(state)) return undefined;
  const directory = join(judge.scratch, 'role-synced');
  mkdirSync(directory, { recursive: true });
  materialise(state, directory);
  const before = readFileSync(join(directory, DATA));
  for (const spoil of [
    () => {},
    () => writeFileSync(join(directory, DAT), 'garbage'),
    () => rmSync(join(directory, DAT)),
  ]) {
    spoil();
    const synced = await oneSync(of.master, directory);
    if (synced.kind !== 'off') return `a sync reports: ${synced.report}`;
    if (Buffer.compare(readFileSync(join(directory, DATA)), before) !== 0) return 'a sync has written to it';
    const again = readFileSync(join(directory, ROLE), 'utf8');
    if (!/^role master\nterm 1\n/m.test(again)) return 'a sync has left another role';
  }
  return undefined;
}
