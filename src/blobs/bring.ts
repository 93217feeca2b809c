import { Exchanged } from '../pipeline/copy.js';
import { Master } from '../pipeline/master.js';
import { pause, type ReadDeadline } from '../pipeline/read-deadline.js';
import type { Window } from '../pipeline/window.js';
import type { Notice } from '../pipeline/work.js';
import type { BlobCopier } from './copier.js';
import { Lanes } from './lanes.js';
import { type BlobId, pathOf } from './layout.js';
import type { Copy, Manifest } from './manifest.js';
import { BlobsUnreachable } from './mistakes.js';

/** What a run did about blobs. */
export interface BlobCounts {
  /** Files that were copied, and the bytes of all files that were brought. */
  copied: number;
  bytes: number;
  linked: number;
  /** Files that the slave had already: compared byte by byte, or known from the manifest. */
  found: number;
  kept: number;
}

/** Which blobs of earlier runs count without being read again. */
export interface Known {
  readonly manifest: Manifest;
  /** The slave's history is the master's: a blob that was copied is the right one. Otherwise size and time decide. */
  readonly sameHistory: boolean;
}

export interface BringOptions {
  readonly known?: Known | undefined;
  /** What earlier runs have copied: with these bytes a file of the slave stands in for one that the master lacks. */
  readonly recorded?: Manifest | undefined;
  readonly checks?: number;
}

/** Checks for files that are not there: a network file system may show a directory's contents late. */
const CHECKS = 5;
const CHECK_PAUSE_MS = 200;
const NAMED_IN_MESSAGE = 5;
/** Times are set with the precision of a microsecond. */
const TIME_PRECISION_NS = 2000n;

/** Brings blobs to the slave and decides about those that the master does not have. */
export class BlobBringer {
  private readonly lanes: Lanes;
  readonly counts: BlobCounts = { copied: 0, bytes: 0, linked: 0, found: 0, kept: 0 };

  constructor(
    private readonly copier: BlobCopier,
    private readonly deadline: ReadDeadline,
    private readonly report: (notice: Notice) => void,
  ) {
    this.lanes = new Lanes(deadline);
  }

  /**
   * Calls `onCopy` for each blob, once it is complete in the slave's tree, though its name may not be durable yet; or
   * when it proves missing. Throws Exchanged where the master's path names another file by now: a pack may have
   * removed what this one needs.
   *
   * @param master the Data.fs that names the blobs
   */
  async bring(
    ids: Iterable<BlobId>,
    master: Master,
    onCopy: (id: BlobId, copy: Copy) => void | Promise<void>,
    { known, recorded, checks = CHECKS }: BringOptions = {},
  ): Promise<void> {
    let absent: BlobId[] = [];
    const obtain = async (id: BlobId, window: Window): Promise<void> => {
      const obtained = await this.copier.obtain(id, window);
      if (obtained.kind === 'absent') return void absent.push(id);
      this.count(obtained.kind, obtained.copy.length);
      await onCopy(id, obtained.copy);
    };
    await this.lanes.run(ids, async (id, window) => {
      const kept = known && (await this.keptCopy(id, known));
      if (kept) {
        this.counts.kept++;
        return onCopy(id, kept);
      }
      await obtain(id, window);
    });
    for (let check = 1; absent.length > 0 && check < checks; check++) {
      await pause(CHECK_PAUSE_MS);
      const again = absent;
      absent = [];
      await this.lanes.run(again, obtain);
    }
    this.reportMisplaced();
    if (absent.length > 0) await this.judgeAbsent(absent, master, onCopy, recorded);
  }

  private reportMisplaced(): void {
    const count = this.copier.misplaced;
    this.copier.misplaced = 0;
    if (count === 0) return;
    const { path, layout } = this.copier.master;
    const message = 'blobs of the master lie in another layout than its own, where ZODB does not find them';
    const hint = 'the slave has them in their right places; move them on the master as well';
    this.report({ level: 'warn', message, fields: { count, directory: path, layout, hint } });
  }

  private count(kind: 'copied' | 'linked' | 'found', length: number): void {
    this.counts[kind]++;
    if (kind !== 'found') this.counts.bytes += length;
  }

  /** The recorded copy, if the slave's file can be it. */
  private async keptCopy(id: BlobId, { manifest, sameHistory }: Known): Promise<Copy | undefined> {
    const copy = manifest.get(id);
    if (copy === undefined || copy === 'missing') return undefined;
    const { master, slave } = this.copier;
    const relative = pathOf(id, master.layout);
    const ours = slave.factsAt(relative);
    if (ours?.size !== copy.length) return undefined;
    if (sameHistory) return copy;
    const theirs = await master.factsOfBlob(relative);
    return theirs?.size === copy.length && isSameTime(theirs.mtime, ours.mtime) ? copy : undefined;
  }

  /** The file that the slave has of a blob that the master lacks is kept, and counts. */
  private async judgeAbsent(
    absent: readonly BlobId[],
    master: Master,
    onCopy: (id: BlobId, copy: Copy) => void | Promise<void>,
    recorded: Manifest | undefined,
  ): Promise<void> {
    const { path, isEmpty, layout } = this.copier.master;
    if (isEmpty) {
      throw new BlobsUnreachable(
        `the master's blob directory ${path} is empty, and the master's transactions name blobs`,
      );
    }
    await this.copier.master.assertStillThere();
    if (await isExchanged(master, this.deadline)) throw new Exchanged(master.path);
    const missing: BlobId[] = [];
    const only: BlobId[] = [];
    await this.lanes.run(absent, async (id, window) => {
      // Only a file that was copied once can be trusted without the master's; any other stays, and is not counted.
      const copy = recorded?.get(id);
      const isKnown = copy !== undefined && copy !== 'missing';
      const ours = isKnown ? await this.copier.hashOfSlave(id, window) : undefined;
      const isHere = isKnown && ours?.hash === copy.hash && ours.length === copy.length;
      (isHere ? only : missing).push(id);
      if (isHere) this.counts.found++;
      await onCopy(id, isHere ? copy : 'missing');
    });
    const fields = (ids: readonly BlobId[]) => ({
      count: ids.length,
      first: ids.slice(0, NAMED_IN_MESSAGE).map((id) => pathOf(id, layout)),
      directory: path,
    });
    if (only.length > 0) {
      const message = 'the master has no file of blobs that its transactions name; the slave has them, and keeps them';
      const hint = 'are the two directories of --blobs the right ones, in the right order?';
      this.report({ level: 'warn', message, fields: { ...fields(only), hint } });
    }
    if (missing.length > 0) {
      const message = 'the master has no file of blobs that its transactions name; they are recorded as missing';
      this.report({ level: 'error', message, fields: fields(missing) });
    }
  }
}

function isSameTime(one: string, other: string): boolean {
  const difference = BigInt(one) - BigInt(other);
  return difference < TIME_PRECISION_NS && difference > -TIME_PRECISION_NS;
}

/** Whether the master's path, opened afresh, leads to another file. An attribute cache would hide that from a stat. */
async function isExchanged({ path, facts }: Master, deadline: ReadDeadline): Promise<boolean> {
  const fresh = await Master.open(path, deadline);
  try {
    return fresh?.facts.inode !== facts.inode || fresh.facts.device !== facts.device;
  } finally {
    fresh?.close();
  }
}
