import type { Magic } from '../filestorage/layout.js';
import { formatTid } from '../filestorage/tid.js';
import { IoFault } from '../io/fault.js';
import { OpenFile } from '../io/open-file.js';
import type { BlobsClaim } from '../standby/blobs-claim.js';
import type { Dat, MasterIdentity, TornTail } from '../standby/dat.js';
import { publishDat } from '../standby/dat-file.js';
import type { SlavePaths } from '../standby/paths.js';
import type { ChunkFacts } from './chunk.js';
import type { ChunkSource } from './chunk-source.js';
import type { Companion } from './companion.js';
import type { Master } from './master.js';
import type { ReadDeadline } from './read-deadline.js';
import type { Resume } from './resume.js';

/** Something that the operator should read in the log. Nothing below `commands` prints; it reports. */
export interface Notice {
  readonly level: 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields?: Record<string, unknown>;
}

/** The shared context of every step that writes. */
export interface Work {
  readonly paths: SlavePaths;
  readonly source: ChunkSource;
  readonly deadline: ReadDeadline;
  readonly report: (notice: Notice) => void;
  /** Transactions that name blobs are reported: their files are not copied. */
  readonly reportsBlobs?: boolean;
  /** Called before the slave is written; throws if it must not be. */
  readonly beforeWriting?: () => void;
  /** The other storages of a group that is to show one moment; undefined: this storage is synced by itself. */
  readonly companion?: Companion | undefined;
  /** Bytes and milliseconds after which a long catch-up commits what it has. */
  readonly batchBytes: number;
  readonly batchMilliseconds: number;
  /** How many files that rebuilds replace after a pack stay; none by default. */
  readonly keepPacked?: number | undefined;
  /** Bytes of the slave that its index may leave uncovered after an append; undefined: no index is written. */
  readonly indexLagBytes?: number;
  /** A copy of a file of at least this many bytes builds its index in a separate thread; Infinity: never. */
  readonly indexThreadFrom: number;
}

/** Counts what a run has copied. */
export class Copied {
  bytes = 0;
  transactions = 0;
  records = 0;
  chunks = 0;
  batches = 0;

  add(from: Resume, to: Resume, facts: ChunkFacts): void {
    this.bytes += to.position - from.position;
    this.transactions += facts.transactions;
    this.records += facts.records;
    this.chunks++;
  }
}

export function identityOf(master: Master, magic: Magic): MasterIdentity {
  const { device, inode, size, mtime } = master.facts;
  return { device, inode, size, mtime, magic };
}

/** What a claim may record besides the place. */
export interface ClaimDetails {
  /** Where this run began to copy, if it did. */
  readonly copiedFrom?: number | undefined;
  readonly torn?: TornTail | undefined;
  /** undefined: nothing is claimed about blobs. */
  readonly blobs?: BlobsClaim | undefined;
}

/** The claim, as a `.dat`, that the slave equals this master up to `resume`. */
export function claimOf(
  resume: Resume,
  master: MasterIdentity,
  slaveInode: string,
  { copiedFrom, torn, blobs }: ClaimDetails = {},
): Dat {
  return {
    master,
    slaveInode,
    claim: { position: resume.position, tid: resume.tid },
    tailState: resume.tailState,
    copiedFrom,
    torn,
    blobs,
    chunks: resume.chunks,
  };
}

/** Publishes the claim that the slave equals this master up to `resume`. */
export function claim(
  work: Work,
  resume: Resume,
  master: MasterIdentity,
  slaveInode: string,
  details: ClaimDetails = {},
): Dat {
  const dat = claimOf(resume, master, slaveInode, details);
  publishDat(work.paths, dat);
  return dat;
}

/** Reports what ZODB itself only warns about. */
export function reportWarnings(work: Work, facts: ChunkFacts): void {
  if (facts.warningCount === 0) return;
  const fields = {
    count: facts.warningCount,
    first: facts.warnings.slice(0, 3).map(({ position, tid, rule }) => ({ position, tid: formatTid(tid), rule })),
  };
  work.report({ level: 'warn', message: 'the master has transactions that ZODB accepts with a warning', fields });
}

/** Reports that transactions were copied whose blobs were not. */
export function reportUncopiedBlobs({ reportsBlobs, report }: Work, records: number): void {
  if (!reportsBlobs || records === 0) return;
  const message = 'transactions were copied that name blobs, and no blobs were';
  const hint = 'name both blob directories: --blobs MASTER_DIR:SLAVE_DIR; or --no-blobs, if something else copies them';
  report({ level: 'warn', message, fields: { records, hint } });
}

/** Opens the slave for writing; throws ESTALE if it is no longer the file that this run examined. */
export function openToWrite(path: string, knownInode: string | undefined): OpenFile {
  const file = OpenFile.openToWrite(path);
  if (knownInode === undefined || file.facts().inode === knownInode) return file;
  file.closeQuietly();
  throw new IoFault('open', path, 'ESTALE', 'the slave was exchanged while this run read it');
}
