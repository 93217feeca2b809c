import { dirname } from 'node:path';
import { NeededBlobs } from '../blobs/needed.js';
import { encodeIndex } from '../filestorage/index-writer.js';
import { MAGIC_LENGTH, type Magic } from '../filestorage/layout.js';
import type { ObjectIndex } from '../filestorage/object-index.js';
import { IndexLost, type IndexMaker } from '../index/builder.js';
import { indexMaker } from '../index/maker.js';
import { makeIndex } from '../index/refresh.js';
import { clone } from '../io/clone.js';
import { removeIfThere, rename, syncDirectory } from '../io/directory.js';
import { factsOfPath } from '../io/facts.js';
import { IoFault } from '../io/fault.js';
import { OpenFile } from '../io/open-file.js';
import { applyOwnership, type Ownership, replaceByPieces, temporaryOf } from '../io/replace.js';
import type { AdaptiveSource } from '../pipeline/adaptive-source.js';
import type { ChunkFacts } from '../pipeline/chunk.js';
import { NOTHING_YET } from '../pipeline/chunk-table.js';
import type { Damage, Rot } from '../pipeline/damage.js';
import { Master } from '../pipeline/master.js';
import type { ReadDeadline } from '../pipeline/read-deadline.js';
import type { Resume } from '../pipeline/resume.js';
import { type ChunkLine, chunkAt } from '../standby/dat.js';
import { PathMistake } from '../standby/paths.js';
import { nameNewFile, removeUnfinished, unfinishedOf } from './new-file.js';

export interface CopyRequest {
  /** The file as if it ended with the state. */
  readonly master: Master;
  readonly magic: Magic;
  readonly end: number;
  /** Chunks of the file whose hashes are known, back to back. */
  readonly chunks: readonly ChunkLine[];
  /** Path of the new file, which does not exist. */
  readonly dest: string;
  readonly source: AdaptiveSource;
  readonly deadline: ReadDeadline;
}

/** What was copied. */
export interface CopiedState {
  transactions: number;
  records: number;
  objects: number;
  /** Transactions whose tids do not rise. */
  disorder: number;
  shared: boolean;
  /** The blobs that the records name. */
  readonly needed: NeededBlobs;
  /** Records that an encrypting storage wrote: whether they name blobs is not known. */
  encrypted: number;
}

/** The file has no whole transactions up to the end of the state: it is damaged, or that is no end. */
export class Broken extends Error {
  constructor(readonly damage: Damage | Rot | undefined) {
    super('the copy does not end where the state does');
  }
}

const OWNER_ALONE = 0o600;
const PERMISSIONS = 0o777;

/**
 * Copies the transactions before the end of a state into a new file, and its index.
 *
 * Invariant: until `publish`, the new file and its index have names of this process alone, and nothing else is changed.
 * Write order: bytes and attributes; fsync; the index, fsync; the name of the index, durably; then the name of the file,
 * durably. An index without its file is replaced by the next run.
 */
export class StateCopy {
  readonly copied: CopiedState = {
    transactions: 0,
    records: 0,
    objects: 0,
    disorder: 0,
    shared: false,
    needed: new NeededBlobs(),
    encrypted: 0,
  };
  private readonly temporary: string;
  private readonly freshIndex: string;

  constructor(private readonly request: CopyRequest) {
    this.temporary = unfinishedOf(request.dest);
    this.freshIndex = unfinishedOf(this.indexPath);
  }

  /** Fills the new file. Throws Broken. */
  async fill(): Promise<void> {
    const { end, source, dest, master } = this.request;
    for (const path of [dest, this.indexPath]) removeUnfinished(path, master.facts.inode);
    const maker = await indexMaker(end >= source.threadsFrom);
    try {
      this.copied.shared = await this.cloned();
      const file = this.copied.shared ? OpenFile.openToWrite(this.temporary) : this.created();
      try {
        await this.pass(file, maker);
        file.truncate(end);
        applyOwnership(file, this.ownership);
        file.sync();
      } finally {
        file.close();
      }
      await this.writeIndex(maker);
    } catch (error) {
      this.discard();
      throw error;
    } finally {
      await maker.close();
    }
  }

  /** Gives the new file and its index their names, durably. */
  publish(): void {
    const { dest } = this.request;
    if (factsOfPath(dest)) throw new PathMistake(`${dest} exists by now`, 'name a file that does not exist');
    // ZODB does not open a file without records beside an index of it.
    if (this.copied.records > 0) rename(this.freshIndex, this.indexPath);
    else removeIfThere(this.indexPath);
    syncDirectory(dirname(dest));
    nameNewFile(this.temporary, dest);
  }

  /** Removes what was made. */
  discard(): void {
    removeIfThere(this.temporary);
    removeIfThere(this.freshIndex);
  }

  private get indexPath(): string {
    return `${this.request.dest}.index`;
  }

  private get ownership(): Required<Ownership> {
    const { mode, uid, gid } = this.request.master.facts;
    return { mode: mode & PERMISSIONS, uid, gid };
  }

  private created(): OpenFile {
    const file = OpenFile.createNew(this.temporary, OWNER_ALONE);
    file.write(Buffer.from(this.request.magic, 'latin1'), 0);
    return file;
  }

  /** Whether the file system shares the bytes of both files. Where it cannot, they are copied. */
  private async cloned(): Promise<boolean> {
    const { path, facts } = this.request.master;
    try {
      await clone(path, this.temporary);
    } catch (error) {
      if (!(error instanceof IoFault)) throw error;
      removeIfThere(this.temporary);
      return false;
    }
    // A pack may have put another file there meanwhile.
    if (factsOfPath(path)?.inode === facts.inode) return true;
    removeIfThere(this.temporary);
    return false;
  }

  private async pass(file: OpenFile, maker: IndexMaker): Promise<void> {
    const { end, chunks, source } = this.request;
    const master = this.copied.shared ? await this.openCopy() : this.request.master;
    try {
      let resume: Resume = NOTHING_YET;
      const receiver = {
        ...(!this.copied.shared && {
          write: (bytes: Uint8Array, position: number): void => file.write(bytes, position),
        }),
        records: maker,
        namesBlobs: true,
        unhashed: chunks.length === 0,
        knownChunks: chunks,
        goBackTo: (position: number): void => maker.goBackTo(position),
      };
      if (end > MAGIC_LENGTH) {
        const stop = await source.run(master, resume, receiver, async (reached, facts) => {
          const chunk = chunkAt(chunks, resume.position);
          if (chunk && facts.end >= chunk.end && facts.hash !== chunk.hash) throw new Broken(rotIn(chunk));
          resume = reached;
          this.add(facts);
          await this.copied.needed.addReadable(facts.blobs, master);
        });
        maker.goBackTo(resume.position);
        if (stop.kind !== 'end' || resume.position !== end) {
          throw new Broken(stop.kind === 'damaged' ? stop : undefined);
        }
      }
      maker.allAdded();
    } finally {
      if (this.copied.shared) master.close();
    }
  }

  private add({ transactions, records, warnings, blobs }: ChunkFacts): void {
    const { copied } = this;
    copied.transactions += transactions;
    copied.records += records;
    copied.encrypted += blobs.encrypted;
    copied.disorder += warnings.filter(({ rule }) => rule === 'tid-order').length;
  }

  private async openCopy(): Promise<Master> {
    const { deadline, end } = this.request;
    const copy = await Master.open(this.temporary, deadline);
    if (!copy) throw new IoFault('open', this.temporary, 'ENOENT', 'the new file is gone');
    return copy.upTo(end);
  }

  private async writeIndex(maker: IndexMaker): Promise<void> {
    const { end } = this.request;
    if (this.copied.records === 0) return;
    try {
      const pieces = maker.pieces(end);
      if (!pieces) throw new IndexLost();
      this.keepIndex(pieces);
    } catch (error) {
      if (!(error instanceof IndexLost)) throw error;
      this.keepIndex(encodeIndex(await this.indexAgain(), end));
    }
  }

  private keepIndex(pieces: Iterable<Uint8Array>): void {
    replaceByPieces(this.freshIndex, pieces, this.ownership, temporaryOf(this.freshIndex));
  }

  /** The index from another reading of the new file. */
  private async indexAgain(): Promise<ObjectIndex> {
    const copy = await this.openCopy();
    try {
      const made = await makeIndex(this.freshIndex, copy, this.request.source, []);
      if (made.action === 'changed')
        throw new IoFault('read', copy.path, 'ELOST', 'its bytes have changed', made.changed.start);
      return made.index;
    } finally {
      copy.close();
    }
  }
}

function rotIn({ start, end, firstTid }: ChunkLine): Rot {
  const message = `its bytes ${start} to ${end} are not those that were copied`;
  return { position: start, at: start, tid: firstTid, rule: 'hash', message };
}
