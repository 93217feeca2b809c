import { NeededBlobs } from '../blobs/needed.js';
import type { StandbyBlobs } from '../blobs/standby-blobs.js';
import { BLOB_WORDS } from '../filestorage/blob-names.js';
import type { Magic } from '../filestorage/layout.js';
import { dropIndexBeyond, refreshLaggingIndex } from '../index/slave-index.js';
import { syncDirectory } from '../io/directory.js';
import { IoFault } from '../io/fault.js';
import type { OpenFile } from '../io/open-file.js';
import type { ChunkFacts } from '../pipeline/chunk.js';
import { copy, Exchanged, type Target } from '../pipeline/copy.js';
import type { Rot } from '../pipeline/damage.js';
import type { Master } from '../pipeline/master.js';
import type { Resume } from '../pipeline/resume.js';
import type { MasterEnd } from '../pipeline/tail.js';
import {
  Copied,
  claim,
  identityOf,
  openToWrite,
  reportUncopiedBlobs,
  reportWarnings,
  type Work,
} from '../pipeline/work.js';
import type { BlobsClaim } from '../standby/blobs-claim.js';
import type { ChunkLine, Dat } from '../standby/dat.js';
import { Batch } from './batch.js';
import { bringUpTo } from './bring-blobs.js';

export interface Written {
  readonly resume: Resume;
  readonly end: MasterEnd;
  readonly copied: Copied;
  /** The published `.dat`; undefined when nothing is published. */
  readonly dat: Dat | undefined;
}

/**
 * Appends the master's transactions from `resume` on to the slave, in batches.
 *
 * Write order:
 *  - Remove an index that covers bytes behind `resume`, and make the directory entries durable.
 *  - Cut the slave back to `resume`. If that is not the claim, make the slave durable and publish a `.dat` for it.
 *  - Bring the blobs up to `resume`, unless the claim has them already, and publish a `.dat` that says so.
 *  - For each batch: header, body, its blobs and their manifest, flip (see Batch), then the `.dat`. At the end the index, if
 *    it is due.
 *
 * With companions (see Companion) there is one batch only, and it is flipped when all of them are ready to flip theirs.
 *
 * So no byte below the published claim, and no byte that an index covers, is ever written. A batch is dropped if the
 * master's path no longer names the file that was read.
 */
export async function append(
  work: Work,
  opened: Master,
  magic: Magic,
  known: Dat | undefined,
  resume: Resume,
  blobs?: StandbyBlobs,
): Promise<Written> {
  work.beforeWriting?.();
  const file = openToWrite(work.paths.data, known?.slaveInode);
  try {
    const { inode, size } = file.facts();
    dropIndexBeyond(work, resume.position);
    // A killed predecessor may have left its renames in memory only. What is built on them now must not outlive them.
    syncDirectory(work.paths.directory);
    if (size > resume.position) {
      work.report({ level: 'warn', message: 'cutting the slave back', fields: { from: size, to: resume.position } });
      file.truncate(resume.position);
    }
    let dat = known;
    const sameClaim = resume.position === known?.claim.position;
    if (!sameClaim) {
      // The bytes about to be claimed may be in memory only as well.
      file.sync();
      dat = claim(work, resume, identityOf(opened, magic), inode);
    }
    if (blobs)
      dat = await bringUpTo(resume, { work, blobs, master: opened, magic, inode, known: sameClaim ? dat : undefined });
    const appending = new Appending(work, file, inode, magic, resume, blobs, dat?.blobs);
    const { resume: reached, end, master } = await appending.run(opened);
    dat = appending.published ?? dat;
    if (dat?.master.inode !== master.facts.inode || dat.master.device !== master.facts.device) {
      const details = { copiedFrom: dat?.copiedFrom, blobs: blobs && dat?.blobs };
      dat = claim(work, reached, identityOf(master, magic), inode, details);
    }
    const rot = await refreshLaggingIndex(work, reached.position, (chunks) => repair(work, chunks, master, inode));
    return { resume: reached, end: rot ? { kind: 'damaged', damage: rot } : end, copied: appending.copied, dat };
  } finally {
    file.close();
  }
}

async function repair(
  work: Work,
  chunks: readonly ChunkLine[],
  master: Master,
  slaveInode: string,
): Promise<Rot | undefined> {
  const { repairKnown } = await import('../scrub/scrub.js');
  return (await repairKnown(work, chunks, master, slaveInode)).rot;
}

class Appending implements Target {
  copied = new Copied();
  readonly namesBlobs: boolean;
  published: Dat | undefined;
  private needed = new NeededBlobs();
  private blobRecords = 0;
  private readonly begin: Resume;
  private batch: Batch;
  private batchBegan = Date.now();

  constructor(
    private readonly work: Work,
    private readonly file: OpenFile,
    private readonly slaveInode: string,
    private readonly magic: Magic,
    private resume: Resume,
    private readonly blobs: StandbyBlobs | undefined,
    private blobsClaim: BlobsClaim | undefined,
  ) {
    this.namesBlobs = blobs?.byRecords ?? work.reportsBlobs === true;
    this.begin = resume;
    this.batch = new Batch(file, resume.position);
  }

  async run(opened: Master): Promise<{ resume: Resume; end: MasterEnd; master: Master }> {
    try {
      const result = await copy(opened, this.work.source, this.resume, this, this.work.deadline);
      if (!(await this.commit(result.master))) return { ...result, resume: this.begin };
      reportUncopiedBlobs(this.work, this.blobRecords);
      return result;
    } catch (error) {
      this.abandon();
      throw error;
    }
  }

  write(bytes: Uint8Array, position: number): void {
    this.batch.write(bytes, position);
  }

  goBackTo(end: number): void {
    this.batch.goBackTo(end);
  }

  async reached(resume: Resume, facts: ChunkFacts, master: Master): Promise<void> {
    this.copied.add(this.resume, resume, facts);
    reportWarnings(this.work, facts);
    this.resume = resume;
    if (this.blobs) await this.needed.add(facts.blobs, master);
    else this.blobRecords += facts.blobs.blobs.length / BLOB_WORDS;
    const { batchBytes, batchMilliseconds } = this.work;
    if (this.batch.length >= batchBytes || Date.now() - this.batchBegan >= batchMilliseconds) await this.commit(master);
  }

  /** false: the companions must not wait for what could be copied, so it was dropped. */
  private async commit(master: Master): Promise<boolean> {
    this.batch.settle();
    const { begun } = this.batch;
    if (begun) {
      if (this.blobs && this.blobsClaim)
        this.blobsClaim = await this.blobs.batch(this.needed, this.blobsClaim, master, this.resume.tid);
      this.needed = new NeededBlobs();
      if (!(await master.isStillThere())) throw new Exchanged(master.path);
      const { companion } = this.work;
      if (companion && !(await companion.ready(this.resume.tid))) {
        this.batch.drop();
        this.copied = new Copied();
        return false;
      }
      this.batch.flip();
    }
    // From here on the batch is part of the slave. If the claim fails, the batch is not cut off again.
    this.batch = new Batch(this.file, this.resume.position);
    this.batchBegan = Date.now();
    if (begun) {
      this.published = claim(this.work, this.resume, identityOf(master, this.magic), this.slaveInode, {
        copiedFrom: this.begin.position,
        blobs: this.blobsClaim,
      });
      this.copied.batches++;
    }
    return true;
  }

  /** Leaves the slave as it was before the batch or after it. What this cannot undo, the next run repairs. */
  private abandon(): void {
    const { start } = this.batch;
    if (this.batch.isVisible) {
      const message =
        'the last batch is visible and may not be durable: it is not claimed, and the next run writes it again';
      this.work.report({ level: 'warn', message, fields: { from: start, to: this.resume.position } });
      return;
    }
    try {
      this.batch.drop();
    } catch (error) {
      if (!(error instanceof IoFault)) throw error;
      const message =
        'an unfinished batch stays behind what is claimed: no server shows it, and the next run writes it again';
      this.work.report({ level: 'warn', message, fields: { from: start, why: error.message } });
    }
  }
}
