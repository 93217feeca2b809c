import type { FoundTransaction } from '../filestorage/backward.js';
import { MAGIC_LENGTH } from '../filestorage/layout.js';
import { formatTid, tidToIso } from '../filestorage/tid.js';
import type { Against } from '../lineage/against.js';
import type { Lineage } from '../lineage/verdict.js';
import { DEFAULT_CHUNK_BYTES } from '../pipeline/chunk-table.js';
import { Exchanged } from '../pipeline/copy.js';
import type { Master } from '../pipeline/master.js';
import type { ReadDeadline } from '../pipeline/read-deadline.js';
import { type Readable, readableEnd } from '../pipeline/scan.js';
import { Window } from '../pipeline/window.js';
import { EXIT, type ExitCode } from '../round/exit.js';
import { findSide } from '../round/find-master.js';
import { readDatFile } from '../standby/dat-file.js';
import { fileOf, nameInDirectory, PathMistake } from '../standby/paths.js';
import { seenTerm } from '../standby/role.js';
import { readRoleFile } from '../standby/role-file.js';
import { openData } from './open-data.js';
import { type Described, describe } from './transactions.js';

export interface CompareOptions {
  /** The master's side and the slave's: data directories, or the files themselves. */
  readonly a: string;
  readonly b: string;
  readonly file: string | undefined;
  /** How many transactions of each side to list. */
  readonly most: number;
  readonly deadline: ReadDeadline;
}

export interface ComparedSide {
  readonly path: string;
  readonly size: number;
  readonly committedEnd: number;
  readonly lastTid: string | null;
  readonly lastTime: string | null;
  /** The role in the role file; null without one. */
  readonly role: string | null;
  readonly term: number | null;
}

/** The JSON object of `syncpozo compare --json`. Fields are only ever added. null: not known, or none. */
export interface CompareResult {
  /** What A is to B. */
  readonly lineage: Lineage;
  /** Everything in B is in A, or was removed by a pack of A. */
  readonly proven: boolean;
  readonly reason: string;
  readonly exitCode: ExitCode;
  readonly a: ComparedSide;
  readonly b: ComparedSide;
  /** The last common transaction before anything that only one side has; `position` is its end in B. */
  readonly fork: { readonly position: number; readonly tid: string; readonly time: string | null } | null;
  /** Oldest first. */
  readonly onlyA: readonly Described[];
  readonly onlyB: readonly Described[];
  readonly onlyACount: number;
  readonly onlyBCount: number;
  /** Not all of them are listed or counted. */
  readonly truncated: boolean;
  /** Where the same transaction has different bytes, and which side has changed. */
  readonly difference: {
    readonly tid: string;
    readonly positionA: number;
    readonly positionB: number;
    readonly changed: 'a' | 'b' | 'unknown';
  } | null;
  /** According to its own files, A is a slave of B. */
  readonly swapped: boolean;
  readonly seconds: number;
}

const WINDOW_BYTES = 1 << 20;
const CHECKS = 3;

/** Both histories from the fork. Reads the two files and the files beside them; takes no lock and writes nothing. */
export async function runCompare(options: CompareOptions): Promise<CompareResult> {
  const began = performance.now();
  const { deadline, file } = options;
  const one = await findSide(options.a, file, deadline);
  const other = await findSide(options.b, file, deadline);
  const paths = [fileOf(one, nameInDirectory(file, one, other)), fileOf(other, nameInDirectory(file, one, other))];
  const [a = '', b = ''] = paths;
  for (let probe = 1; ; probe++) {
    try {
      const result = await compareOnce(a, b, options);
      return { ...result, seconds: Math.round(performance.now() - began) / 1000 };
    } catch (error) {
      // A pack replaced the master, or a rebuild the slave, during the read.
      if (!(error instanceof Exchanged) || probe === CHECKS) throw error;
    }
  }
}

async function compareOnce(a: string, b: string, options: CompareOptions): Promise<Omit<CompareResult, 'seconds'>> {
  const { deadline, most } = options;
  const master = await openData(a, deadline);
  try {
    const slave = await openData(b, deadline);
    try {
      if (master.facts.inode === slave.facts.inode && master.facts.device === slave.facts.device)
        throw new PathMistake('A and B are the same file', 'name two files, or the directories that hold them');
      const windows = [new Window(WINDOW_BYTES), new Window(WINDOW_BYTES)] as const;
      const roles = [readRoleFile({ role: `${a}.role` }), readRoleFile({ role: `${b}.role` })] as const;
      const dat = readDatFile({ dat: `${b}.dat` });
      const chunks = 'dat' in dat && dat.dat.slaveInode === slave.facts.inode ? dat.dat.chunks : [];
      const end = await readableEnd(slave, windows[0]);
      const listed = { here: new Newest(most), there: new Newest(most) };
      const { findAgainst } = await import('../lineage/against.js');
      const against = await findAgainst({
        file: slave,
        end,
        sound: false,
        chunks,
        master,
        chunkBytes: DEFAULT_CHUNK_BYTES,
        deadline,
        windows,
        terms: 'facts' in roles[0] ? roles[0].facts.terms : [],
        onSide: (side, found) => listed[side].add(found),
      });
      if (!(await master.isStillThere())) throw new Exchanged(a);
      if (!(await slave.isStillThere())) throw new Exchanged(b);
      const { sides } = against;
      const aDat = readDatFile({ dat: `${a}.dat` });
      return {
        ...verdictIn(against),
        a: await sideResult(master, against.masterEnd, roles[0]),
        b: await sideResult(slave, end, roles[1]),
        fork: forkIn(against),
        onlyA: await describeAll(master, listed.there),
        onlyB: await describeAll(slave, listed.here),
        onlyACount: sides.onlyThere.count,
        onlyBCount: sides.onlyHere.count,
        truncated: !sides.complete || listed.here.isCut || listed.there.isCut,
        // On the way back the side that serves still has the `.dat` of its time as a slave.
        swapped:
          !('facts' in roles[0] && roles[0].facts.role === 'master') &&
          'dat' in aDat &&
          aDat.dat.slaveInode === master.facts.inode &&
          aDat.dat.master.inode === slave.facts.inode,
      };
    } finally {
      slave.close();
    }
  } finally {
    master.close();
  }
}

/** Gets transactions newest first and keeps the last ones: those right after the fork. */
class Newest {
  private readonly kept: FoundTransaction[] = [];
  isCut = false;

  constructor(private readonly most: number) {}

  add(found: FoundTransaction): void {
    this.kept.push(found);
    if (this.kept.length <= this.most) return;
    this.kept.shift();
    this.isCut = true;
  }

  get oldestFirst(): readonly FoundTransaction[] {
    return [...this.kept].reverse();
  }
}

async function describeAll(file: Readable, { oldestFirst }: Newest): Promise<Described[]> {
  const all: Described[] = [];
  for (const found of oldestFirst) all.push(await describe(file, found));
  return all;
}

const EXIT_OF: Readonly<Record<Lineage, ExitCode>> = {
  equal: EXIT.ok,
  behind: EXIT.ok,
  packed: EXIT.ok,
  ahead: EXIT.refused,
  forked: EXIT.refused,
  unrelated: EXIT.refused,
  rewritten: EXIT.refused,
  rotten: EXIT.damaged,
  damaged: EXIT.damaged,
};

function verdictIn({ lineage, verdict, masterDamaged }: Against) {
  const found: Lineage = masterDamaged ? 'damaged' : lineage;
  const reason = masterDamaged ? `A breaks a rule at ${masterDamaged.at}: ${masterDamaged.message}` : verdict?.reason;
  const proven = verdict?.proven ?? (found === 'equal' || found === 'behind');
  const mismatch = found === 'rotten' ? verdict?.mismatch : undefined;
  const changed = verdict?.blame === 'master' ? 'a' : verdict?.blame === 'slave' ? 'b' : 'unknown';
  const difference =
    mismatch &&
    ({
      tid: formatTid(mismatch.tid),
      positionA: mismatch.masterAt || mismatch.masterTransaction,
      positionB: mismatch.slaveAt || mismatch.transaction,
      changed,
    } as const);
  return { lineage: found, proven, reason: reason ?? '', exitCode: EXIT_OF[found], difference: difference ?? null };
}

function forkIn({ lineage, sides, verdict }: Against): CompareResult['fork'] {
  if (lineage === 'equal' || lineage === 'unrelated') return null;
  const common = sides.common ?? verdict?.common;
  if (!common || common.slaveEnd <= MAGIC_LENGTH) return null;
  return { position: common.slaveEnd, tid: formatTid(common.tid), time: tidToIso(common.tid) };
}

async function sideResult(
  file: Master,
  committedEnd: number,
  role: ReturnType<typeof readRoleFile>,
): Promise<ComparedSide> {
  const last = await lastTidOf(file, committedEnd);
  const facts = 'facts' in role ? role.facts : undefined;
  return {
    path: file.path,
    size: file.size,
    committedEnd,
    lastTid: last === undefined ? null : formatTid(last),
    lastTime: last === undefined ? null : tidToIso(last),
    role: 'problem' in role ? 'unreadable' : (facts?.role ?? null),
    term: facts ? seenTerm(facts) : null,
  };
}

async function lastTidOf(file: Readable, end: number): Promise<bigint | undefined> {
  const { BackwardReader } = await import('../filestorage/backward.js');
  const found = await new BackwardReader(file).from(end).next();
  return found.done ? undefined : found.value.tid;
}
