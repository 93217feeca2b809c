import { NeededBlobs } from '../blobs/needed.js';
import type { StandbyBlobs } from '../blobs/standby-blobs.js';
import { BLOB_WORDS } from '../filestorage/blob-names.js';
import { MAGIC_LENGTH, type Magic } from '../filestorage/layout.js';
import { formatTid } from '../filestorage/tid.js';
import type { IndexMaker } from '../index/builder.js';
import { indexMaker } from '../index/maker.js';
import { writeIndexAfterCopy } from '../index/slave-index.js';
import { removeIfThere } from '../io/directory.js';
import { IoFault } from '../io/fault.js';
import { OpenFile } from '../io/open-file.js';
import { copiedOwnership } from '../io/ownership.js';
import { applyOwnership, type Ownership } from '../io/replace.js';
import type { Judging } from '../lineage/file-pair.js';
import { judgeCopy, type Replaced, rotOfCopy } from '../lineage/judge-copy.js';
import { beginJudging } from '../lineage/judging.js';
import type { Verdict } from '../lineage/verdict.js';
import type { ChunkFacts } from '../pipeline/chunk.js';
import { NOTHING_YET } from '../pipeline/chunk-table.js';
import { copy, Exchanged, type Target } from '../pipeline/copy.js';
import type { Rot } from '../pipeline/damage.js';
import type { Master } from '../pipeline/master.js';
import type { Resume } from '../pipeline/resume.js';
import { Copied, claimOf, identityOf, reportUncopiedBlobs, reportWarnings, type Work } from '../pipeline/work.js';
import { publishDatWith } from '../standby/dat-file.js';
import type { Written } from './append.js';
import { bringAll } from './bring-blobs.js';
import { isRefused, NOT_FORCED } from './refused.js';
import { dropOldPacked, swap } from './swap.js';

export interface RebuildOptions {
  /** The slave to replace; undefined: there is none, so nothing can be lost. */
  readonly replaced: Replaced | undefined;
  /** Accept a damaged master. It never replaces a slave, but an incomplete slave is better than none. */
  readonly takeDamaged: boolean;
  /** Called right before the swap, for what must be durable by then. */
  readonly beforeSwap: () => void;
  readonly blobs?: StandbyBlobs | undefined;
  /** Every blob is compared with the master's file. */
  readonly compareBlobs?: boolean;
}

export interface Rebuilt extends Written {
  /** What the master is to the slave that was, or was not, replaced; undefined where it was not judged. */
  readonly verdict: Verdict | undefined;
  /** Nothing was replaced: the operator decides. */
  readonly refused: boolean;
  /** Where recorded hashes show that the master's bytes are not those that were copied, and the slave has lost those. */
  readonly rot?: Rot | undefined;
  /** Path of the old file, if it was kept. */
  readonly kept: string | undefined;
}

const OWNER_MAY_WRITE = 0o600;

/** The master is no continuation of the slave: the rest of the copy is not needed. */
class Certain extends Error {}

/**
 * Rebuilds the slave: copies everything into `Data.fs.new`, then swaps.
 *
 * Write order: write body and attributes; judge the lineage, which may end the rebuild here; bring the blobs and write
 * their manifest under another name; fsync the file; wait until the companions are ready, if there are any; make the
 * next `.dat` durable under a temporary name; give the old file its second names (if it is kept), and those of its
 * index and the list of its blobs; remove the old index; fsync the directory; rename; fsync the directory; rename the
 * `.dat`, then the manifest; remove the oldest files that were kept after packs; remove blobs that were packed away;
 * write the new index. The path always names the complete old file or the complete new one, never one with the other's
 * index. After a crash behind the swap the next `.dat` describes the file that is there.
 */
export async function rebuild(work: Work, opened: Master, magic: Magic, options: RebuildOptions): Promise<Rebuilt> {
  work.beforeWriting?.();
  const threaded = opened.size >= work.indexThreadFrom;
  const maker = work.indexLagBytes === undefined ? undefined : await indexMaker(threaded);
  try {
    return await fillAndSwap(work, opened, magic, options, maker, threaded);
  } finally {
    await maker?.close();
  }
}

async function fillAndSwap(
  work: Work,
  opened: Master,
  magic: Magic,
  options: RebuildOptions,
  maker: IndexMaker | undefined,
  threaded: boolean,
): Promise<Rebuilt> {
  const { paths } = work;
  const { replaced } = options;
  removeIfThere(paths.fresh);
  const file = OpenFile.createNew(paths.fresh);
  let judging: Judging | undefined;
  let swapped = false;
  try {
    file.write(Buffer.from(magic, 'latin1'), 0);
    judging = replaced && (await beginJudging(pairOf(work, replaced), threaded));
    const filling = new Filling(work, file, maker, judging, replaced?.forced !== true, options.blobs);
    const copied = await copyUnlessCertain(opened, work, filling);
    if (!copied) {
      const verdict =
        replaced && judging && (await judgeCopy(work, opened.path, replaced, judging, filling.reachedUpTo));
      return { ...nothingWritten(filling.reachedUpTo), verdict, refused: true };
    }
    const { resume, end, master } = copied;
    const takeDamaged = options.takeDamaged && !work.companion && resume.position > MAGIC_LENGTH;
    const unusable = end.kind === 'damaged' && !takeDamaged;
    if (unusable) return { ...nothingWritten(resume), end, verdict: undefined, refused: false };
    filling.finish(resume);
    applyOwnership(file, ownershipOf(master, work));
    const verdict = replaced && judging && (await judgeCopy(work, master.path, replaced, judging, resume));
    if (end.kind === 'torn' && verdict?.lineage === 'ahead') {
      const detail = `the file breaks off here, before transaction ${formatTid(verdict.findings.slaveLast ?? 0n)}, which it had`;
      throw new IoFault('read', master.path, 'ETORN', detail, resume.position);
    }
    if (verdict && isRefused(verdict, replaced ?? NOT_FORCED)) {
      return { ...nothingWritten(resume), end, verdict, refused: true };
    }
    const rot = verdict && replaced && (await rotOfCopy(work, replaced, verdict, resume));
    if (rot) return { ...nothingWritten(resume), end, verdict, refused: true, rot };
    const proven = replaced !== undefined && verdict?.proven === true;
    const blobs =
      options.blobs && (await bringAll(options.blobs, filling.needed, master, resume, { ...options, proven }));
    file.sync();
    if (!(await master.isStillThere())) throw new Exchanged(master.path);
    if (work.companion && !(await work.companion.ready(resume.tid))) {
      return { ...nothingWritten(resume), end, verdict, refused: false };
    }
    options.beforeSwap();
    const details = { copiedFrom: MAGIC_LENGTH, blobs };
    const dat = claimOf(resume, identityOf(master, magic), file.facts().inode, details);
    const kept = publishDatWith(paths, dat, () => swap(work, verdict));
    swapped = true;
    dropOldPacked(work, verdict);
    await options.blobs?.place(blobs);
    reportUncopiedBlobs(work, filling.blobRecords);
    filling.copied.batches = 1;
    // ZODB does not open a file without records beside an index of it.
    if (maker && filling.copied.records > 0) await writeIndexAfterCopy(work, maker, resume.position);
    return { resume, end, copied: filling.copied, dat, verdict, refused: false, kept };
  } finally {
    await judging?.close();
    file.close();
    if (!swapped) removeIfThere(paths.fresh);
  }
}

function pairOf({ paths }: Work, { slaveEnd, ownFrom, chunks, changed = [], forced }: Replaced) {
  // Who forces a rebuild over a fork is still refused where the master has rotted: all of both is compared.
  const options = { ownFrom, pieces: chunks, changed, stopEarly: !forced };
  return { freshPath: paths.fresh, slavePath: paths.data, slaveEnd, options };
}

async function copyUnlessCertain(opened: Master, work: Work, filling: Filling) {
  try {
    return await copy(opened, work.source, NOTHING_YET, filling, work.deadline);
  } catch (error) {
    if (error instanceof Certain) return undefined;
    throw error;
  }
}

function nothingWritten(resume: Resume): Omit<Rebuilt, 'verdict' | 'refused'> {
  return { resume, end: { kind: 'clean' }, copied: new Copied(), dat: undefined, kept: undefined };
}

class Filling implements Target {
  readonly copied = new Copied();
  readonly namesBlobs: boolean;
  readonly needed = new NeededBlobs();
  blobRecords = 0;
  reachedUpTo: Resume = NOTHING_YET;
  private position = MAGIC_LENGTH;
  private highest = MAGIC_LENGTH;

  constructor(
    private readonly work: Work,
    private readonly file: OpenFile,
    readonly records: IndexMaker | undefined,
    private readonly judging: Judging | undefined,
    private readonly mayEndEarly: boolean,
    private readonly blobs: StandbyBlobs | undefined,
  ) {
    this.namesBlobs = blobs?.byRecords ?? work.reportsBlobs === true;
  }

  write(bytes: Uint8Array, position: number): void {
    if (position !== this.position) throw new RangeError(`written to ${this.position}, next piece at ${position}`);
    this.file.write(bytes, position);
    this.position = position + bytes.length;
    this.highest = Math.max(this.highest, this.position);
  }

  goBackTo(end: number): void {
    this.position = end;
    this.records?.goBackTo(end);
  }

  async reached(resume: Resume, facts: ChunkFacts, master: Master): Promise<void> {
    this.copied.add(this.reachedUpTo, resume, facts);
    reportWarnings(this.work, facts);
    this.reachedUpTo = resume;
    if (this.blobs) await this.needed.add(facts.blobs, master);
    else this.blobRecords += facts.blobs.blobs.length / BLOB_WORDS;
    this.judging?.reached(resume.position);
    if (this.mayEndEarly && this.judging?.isCertain) throw new Certain();
  }

  finish(resume: Resume): void {
    this.records?.allAdded();
    if (this.highest > resume.position) this.file.truncate(resume.position);
  }
}

/**
 * The master's, plus owner write permission: a snapshot may be read-only, but a standby is appended to and may serve.
 */
function ownershipOf(master: Master, work: Work): Ownership {
  const copied = copiedOwnership(master.facts, work.paths.directoryFacts);
  return { ...copied, mode: copied.mode | OWNER_MAY_WRITE };
}
