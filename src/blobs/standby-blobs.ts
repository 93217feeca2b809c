import { removeIfThere, rename } from '../io/directory.js';
import { factsOfPath } from '../io/facts.js';
import type { Master } from '../pipeline/master.js';
import { Window } from '../pipeline/window.js';
import { beginBlobScrub } from '../standby/blob-scrub-file.js';
import type { BlobsClaim } from '../standby/blobs-claim.js';
import type { Dat } from '../standby/dat.js';
import type { BlobTree } from './blob-tree.js';
import { isProved, openBothTrees } from './both-trees.js';
import { BlobBringer, type BlobCounts, type Known } from './bring.js';
import { claimAfter } from './claim-after.js';
import { BlobCopier } from './copier.js';
import { Journal, noteUnclaimed } from './journal.js';
import type { BlobId } from './layout.js';
import { type Copy, Manifest } from './manifest.js';
import {
  allManifests,
  claimedManifest,
  ManifestWriter,
  readManifest,
  refuseDirectories,
  sealOf,
  settleManifest,
  writeManifest,
} from './manifest-file.js';
import type { NeededBlobs } from './needed.js';
import { hasPacked, removePacked } from './packed.js';
import { BlobProgress } from './progress.js';
import { type Repaired, repairBlobs } from './repair.js';
import { type Reread, type RereadPlace, reread } from './reread.js';
import type { BlobContext, BlobSettings } from './settings.js';
import { refuseShared } from './shared.js';
import type { SlaveTree } from './slave-tree.js';

const REPLACED = "a blob of the slave has other bytes than the master's, and is replaced; the old file is kept";
const REREAD_WINDOW_BYTES = 1 << 18;

/**
 * The blobs of one run.
 *
 * Invariants:
 *  - A claim about blobs is returned only when every blob that it counts is durable under its name, and the manifest
 *    that names them is durable as well. The caller makes the transactions visible after that, and publishes the claim
 *    with the place in Data.fs that it belongs to, in one `.dat`.
 *  - A claimed manifest is only appended to. A new one has another name until the `.dat` that describes it is published.
 */
export class StandbyBlobs {
  removed = 0;
  private readonly copier: BlobCopier;
  private readonly bringer: BlobBringer;
  private writer: ManifestWriter | undefined;
  private readonly progress: BlobProgress;

  private constructor(
    readonly settings: BlobSettings,
    private readonly master: BlobTree,
    private readonly slave: SlaveTree,
    private readonly context: BlobContext,
    /** The blobs of the claim are in another directory: what manifests prove about that one does not count here. */
    private readonly isMoved: boolean,
    /** The manifest is the one of the claim. Any other may be of another directory, or older than its files. */
    private readonly isClaimed: boolean,
  ) {
    const { deadline, report } = context;
    this.progress = new BlobProgress(context.onProgress);
    const onBytes = (bytes: number): void => this.progress.read(bytes);
    const onReplaced = (path: string): void => report({ level: 'warn', message: REPLACED, fields: { path } });
    this.copier = new BlobCopier(master, slave, deadline, settings.way, onBytes, onReplaced);
    this.bringer = new BlobBringer(this.copier, deadline, report);
  }

  /** Checks both directories. Throws PathMistake where they cannot be those of one site. */
  static async open(settings: BlobSettings, dat: Dat | undefined, context: BlobContext): Promise<StandbyBlobs> {
    const claimed = dat?.blobs;
    refuseDirectories(context.paths);
    const { master, slave } = await openBothTrees(settings, claimed, context.deadline);
    const isMoved = claimed !== undefined && claimed.directory !== slave.path;
    if (!claimed || isMoved) refuseShared(context.paths, slave.path);
    const isClaimed = claimed !== undefined && !isMoved && (await isProved(claimed, slave, context.paths));
    return new StandbyBlobs(settings, master, slave, context, isMoved, isClaimed);
  }

  get counts(): BlobCounts {
    return this.bringer.counts;
  }

  /** Whether the records say which blobs they need; otherwise the directories are compared. */
  get byRecords(): boolean {
    return this.settings.by === 'records';
  }

  /** Puts in order what a killed run left. The caller holds the slave's lock, and may write. */
  prepare(dat: Dat | undefined): void {
    const { paths } = this.context;
    // What was noted as packed away belongs to a claim; without one it may be what nobody else has.
    if (this.isMoved || !dat?.blobs) removeIfThere(paths.blobsBefore);
    if (this.isMoved) removeIfThere(paths.blobsJournal);
    settleManifest(paths, dat?.blobs);
    const isSettled = this.slave.layout !== undefined && this.covers(dat);
    if (!isSettled && !this.master.isEmpty) this.slave.settleLayout(this.master.layout);
  }

  /** Whether the blobs of the claim are known to be there, without a look at each of them. */
  covers(dat: Dat | undefined): boolean {
    const claim = dat?.blobs;
    if (claim?.directory !== this.slave.path || !this.isClaimed) return false;
    return sealOf(this.context.paths.blobs, claim) !== undefined;
  }

  /** Whether a run with nothing new has something to do all the same. */
  hasWork(dat: Dat | undefined): boolean {
    if (!this.covers(dat) || (dat?.blobs?.missing ?? 0) > 0) return true;
    const { paths } = this.context;
    return hasPacked(paths) || factsOfPath(paths.blobsJournal) !== undefined;
  }

  /** Brings what a batch of transactions needs. `before`: the claim that the batch follows. */
  async batch(needed: NeededBlobs, before: BlobsClaim, master: Master, tid: bigint): Promise<BlobsClaim> {
    const { paths, deadline } = this.context;
    const ids = this.byRecords ? needed.ids : await this.master.blobsUpTo(tid, claimedManifest(paths.blobs, before));
    if (ids.size === 0) return before;
    const entries: (readonly [BlobId, Copy])[] = [];
    this.progress.expect(ids.size);
    try {
      await this.bringer.bring(ids, master, (id, copy) => {
        entries.push([id, copy]);
        this.progress.done();
      });
    } catch (error) {
      // Where threads hang, a sync of a directory may find none.
      if (!deadline.stuck) await noteUnclaimed(entries, paths, this.slave);
      throw error;
    }
    return this.append(entries, before);
  }

  /** Tries again what the master did not have. Returns the claim that then holds. */
  async retryMissing(before: BlobsClaim, master: Master): Promise<BlobsClaim> {
    const manifest = before.missing > 0 ? claimedManifest(this.context.paths.blobs, before) : undefined;
    if (!manifest) return before;
    const entries: (readonly [BlobId, Copy])[] = [];
    const onCopy = (id: BlobId, copy: Copy): void => {
      if (copy !== 'missing') entries.push([id, copy]);
    };
    await this.bringer.bring([...manifest.missingIds()], master, onCopy, { checks: 1 });
    if (entries.length === 0) return before;
    const { missing, ...rest } = await this.append(entries, before);
    return { ...rest, missing: missing - entries.length };
  }

  /**
   * Brings all blobs that a Data.fs needs, and writes a new manifest of them, under another name. What earlier runs have
   * copied is not copied again.
   *
   * @param tid the last transaction of that Data.fs
   * @param known `compare`: every file is compared with the master's; otherwise see Known
   */
  async establish(
    needed: NeededBlobs,
    master: Master,
    tid: bigint,
    known: 'compare' | Pick<Known, 'sameHistory'>,
  ): Promise<BlobsClaim> {
    const { paths } = this.context;
    const ids = this.byRecords ? needed.ids : await this.master.blobsUpTo(tid, undefined);
    const before = this.before();
    const manifest = new Manifest();
    const journal = new Journal(ManifestWriter.journal(paths.blobsJournal, paths), this.slave);
    try {
      this.progress.expect(ids.size);
      const onCopy = async (id: BlobId, copy: Copy): Promise<void> => {
        manifest.set(id, copy);
        this.progress.done();
        const noted = before.get(id);
        if (noted === undefined || noted === 'missing') await journal.add(id, copy);
      };
      const sure = this.isClaimed ? before : readManifest(paths.blobsJournal).manifest;
      await this.bringer.bring(ids, master, onCopy, {
        known: known === 'compare' ? undefined : { sameHistory: known.sameHistory && this.isClaimed, manifest: sure },
        recorded: before,
      });
    } finally {
      await journal.close();
    }
    await this.slave.settle();
    return writeManifest(paths.freshBlobs, manifest, paths, this.slave.path);
  }

  /** Notes what the slave has copied until now, so that what a pack removed of it can be removed here after the swap. */
  noteBefore(): void {
    const { paths } = this.context;
    // Without a claim nobody knows which directory the manifests are of. What a directory lacks may be lost, not packed.
    if (this.isClaimed && this.byRecords) writeManifest(paths.blobsBefore, this.before(), paths, this.slave.path);
  }

  /**
   * After the `.dat` that describes it is published: gives the new manifest its name, and removes the slave's blobs that a
   * pack has removed from the master, if `noteBefore` noted them.
   */
  async place(claim: BlobsClaim | undefined): Promise<void> {
    const { paths } = this.context;
    rename(paths.freshBlobs, paths.blobs);
    removeIfThere(paths.blobsJournal);
    if (claim) beginBlobScrub(paths, claim);
    await this.removePacked(claim);
  }

  /** Removes the slave's blobs that a pack has removed from the master. `claim` is published. */
  async removePacked(claim: BlobsClaim | undefined): Promise<void> {
    const { paths, deadline, report } = this.context;
    const { layout } = this.master;
    const keep = this.settings.keepPacked;
    if (claim) this.removed += await removePacked(paths, claim, { slave: this.slave, layout, keep, deadline, report });
  }

  /** Rereads some of the slave's blobs; see `reread`. */
  reread(claim: BlobsClaim, from: RereadPlace, amount: number): Promise<Reread> {
    return reread(this.context.paths.blobs, claim, this.slave, from, amount, new Window(REREAD_WINDOW_BYTES));
  }

  /** Repairs those of these blobs that are not as they were copied; see `repairBlobs`. */
  repair(claim: BlobsClaim, suspects: readonly BlobId[]): Promise<Repaired | undefined> {
    const { paths, deadline } = this.context;
    return repairBlobs(paths.blobs, claim, suspects, this.copier, deadline);
  }

  close(): void {
    this.writer?.close();
  }

  /** What earlier runs have copied into this directory. */
  private before = (): Manifest => (this.isMoved ? new Manifest() : allManifests(this.context.paths));

  private async append(entries: readonly (readonly [BlobId, Copy])[], before: BlobsClaim): Promise<BlobsClaim> {
    const { paths } = this.context;
    await this.slave.settle();
    this.writer ??= ManifestWriter.continue(paths.blobs, before);
    if (!this.writer) throw new Error(`${paths.blobs} is not the manifest that the claim describes`);
    return claimAfter(before, entries, this.writer.append(entries));
  }
}
