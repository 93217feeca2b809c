import { removeIfThere, rename } from '../io/directory.js';
import { factsOfPath } from '../io/facts.js';
import type { Master } from '../pipeline/master.js';
import type { ReadDeadline } from '../pipeline/read-deadline.js';
import type { Notice } from '../pipeline/work.js';
import type { BlobsClaim, Dat } from '../standby/dat.js';
import { PathMistake, type SlavePaths } from '../standby/paths.js';
import { BlobBringer, type BlobCounts, type Known } from './bring.js';
import { BlobCopier } from './copier.js';
import type { BlobId } from './layout.js';
import { type Copy, Manifest } from './manifest.js';
import {
  claimedManifest,
  ManifestWriter,
  readManifest,
  sealOf,
  settleManifest,
  writeManifest,
} from './manifest-file.js';
import { MasterTree } from './master-tree.js';
import type { NeededBlobs } from './needed.js';
import { removePacked } from './packed.js';
import type { BlobSettings, OnBlobs } from './settings.js';
import { SlaveTree } from './slave-tree.js';

/** What the blobs of a run need of its context. */
export interface BlobContext {
  readonly paths: SlavePaths;
  readonly deadline: ReadDeadline;
  readonly report: (notice: Notice) => void;
  readonly onProgress: OnBlobs;
}

/** Blobs that are complete before a journal notes them. */
const JOURNAL_FILES = 512;
const JOURNAL_MS = 5000;

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
  private readonly bringer: BlobBringer;
  private writer: ManifestWriter | undefined;
  private progress = { files: 0, bytes: 0 };
  private expected = 0;
  private before = new Manifest();

  private constructor(
    readonly settings: BlobSettings,
    private readonly master: MasterTree,
    private readonly slave: SlaveTree,
    private readonly context: BlobContext,
    /** The slave's `.dat` as the run began. */
    private readonly dat: Dat | undefined,
  ) {
    const { deadline, report } = context;
    const copier = new BlobCopier(master, slave, deadline, settings.way, (bytes) => {
      this.progress.bytes += bytes;
      this.context.onProgress(this.progress, this.expected);
    });
    this.bringer = new BlobBringer(copier, deadline, report);
  }

  /** Checks both directories. Throws PathMistake where they cannot be those of one site. */
  static async open(settings: BlobSettings, dat: Dat | undefined, context: BlobContext): Promise<StandbyBlobs> {
    const slave = SlaveTree.open(settings.slave);
    const master = await MasterTree.open(settings.master, context.deadline);
    if (master.isSame(slave.path)) {
      throw new PathMistake(
        `the blob directories of MASTER and SLAVE are the same: ${settings.slave}`,
        'name them as --blobs MASTER_DIR:SLAVE_DIR',
      );
    }
    const claimed = dat?.blobs;
    if (slave.layout === undefined && claimed && claimed.count > 0 && claimed.directory === slave.path) {
      throw new PathMistake(
        `${slave.path} is empty, and ${claimed.count} blobs were copied into it`,
        'is its disk mounted? If the blobs are really gone, remove the file .dat beside the slave: they are copied again',
      );
    }
    if (slave.layout !== undefined && slave.layout !== master.layout) {
      throw new PathMistake(
        `the blob directories have different layouts: ${master.layout} in ${settings.master}, ${slave.layout} in ${slave.path}`,
        "give the slave an empty directory, or convert one of them with ZODB's migrateblobs",
      );
    }
    return new StandbyBlobs(settings, master, slave, context, dat);
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
    settleManifest(this.context.paths, dat?.blobs);
    if (this.slave.layout === undefined || !this.covers(dat)) this.slave.settleLayout(this.master.layout);
  }

  /**
   * Ends what a killed rebuild has begun, before the next one: its manifest gets its name, and what it has found packed
   * away is removed. Behind another rebuild that would be more, also what a file needs that is kept aside.
   */
  async finishRebuild(): Promise<void> {
    this.prepare(this.dat);
    await this.removePacked(this.dat?.blobs);
  }

  /** Whether the blobs of the claim are known to be there, without a look at each of them. */
  covers(dat: Dat | undefined): boolean {
    const claim = dat?.blobs;
    return claim?.directory === this.slave.path && sealOf(this.context.paths.blobs, claim) !== undefined;
  }

  /** Whether a run with nothing new has something to do all the same. */
  hasWork(dat: Dat | undefined): boolean {
    if (!this.covers(dat) || (dat?.blobs?.missing ?? 0) > 0) return true;
    return factsOfPath(this.context.paths.blobsBefore) !== undefined;
  }

  /** Brings what a batch of transactions needs. `before`: the claim that the batch follows. */
  async batch(needed: NeededBlobs, before: BlobsClaim, master: Master, tid: bigint): Promise<BlobsClaim> {
    const ids = this.byRecords ? needed.ids : await this.newInTree(before, tid);
    if (ids.size === 0) return before;
    const entries: (readonly [BlobId, Copy])[] = [];
    this.expect(ids.size);
    await this.bringer.bring(ids, master, (id, copy) => void entries.push(this.done([id, copy])));
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
    const ids = this.byRecords ? needed.ids : await this.newInTree(undefined, tid);
    const before = this.manifestsBefore();
    this.before = before;
    const manifest = new Manifest();
    const journal = new Journal(ManifestWriter.journal(paths.blobsJournal, paths), this.slave);
    try {
      this.expect(ids.size);
      const onCopy = async (id: BlobId, copy: Copy): Promise<void> => {
        manifest.set(id, copy);
        this.done([id, copy]);
        const noted = before.get(id);
        if (noted === undefined || noted === 'missing') await journal.add(id, copy);
      };
      await this.bringer.bring(ids, master, onCopy, {
        known: known === 'compare' || this.isMoved() ? undefined : { ...known, manifest: before },
      });
    } finally {
      await journal.close();
    }
    await this.slave.settle();
    return writeManifest(paths.freshBlobs, manifest, paths, this.slave.path);
  }

  /** Notes what the slave had when `establish` began, so that what a pack removed of it can be removed here after the swap. */
  noteBefore(): void {
    const { paths } = this.context;
    writeManifest(paths.blobsBefore, this.before, paths, this.slave.path);
  }

  /** After the `.dat` that describes it is published: gives the new manifest its name. */
  place(): void {
    const { paths } = this.context;
    rename(paths.freshBlobs, paths.blobs);
    removeIfThere(paths.blobsJournal);
  }

  /** Removes the slave's blobs that a pack has removed from the master. `claim` is published. */
  async removePacked(claim: BlobsClaim | undefined): Promise<void> {
    const { paths, deadline, report } = this.context;
    if (!claim || factsOfPath(paths.blobsBefore) === undefined) return;
    const current = claimedManifest(paths.blobs, claim);
    if (!current) return;
    const before = readManifest(paths.blobsBefore).manifest;
    const { layout } = this.master;
    const request = { before, current, slave: this.slave, layout, keep: this.settings.keepPacked, deadline, report };
    this.removed += await removePacked(request);
    removeIfThere(paths.blobsBefore);
  }

  close(): void {
    this.writer?.close();
  }

  /** Every blob that some manifest of this slave proves to be copied. */
  private manifestsBefore(): Manifest {
    const { paths } = this.context;
    const all = readManifest(paths.blobsBefore).manifest;
    for (const path of [paths.blobs, paths.freshBlobs, paths.blobsJournal]) {
      const { manifest } = readManifest(path);
      let number = 0;
      for (const id of manifest.ids) all.set(id, manifest.copyAt(number++));
    }
    return all;
  }

  private async append(entries: readonly (readonly [BlobId, Copy])[], before: BlobsClaim): Promise<BlobsClaim> {
    const { paths } = this.context;
    await this.slave.settle();
    this.writer ??= ManifestWriter.continue(paths.blobs, before);
    if (!this.writer) throw new Error(`${paths.blobs} is not the manifest that the claim describes`);
    const { length, hash } = this.writer.append(entries);
    let { count, bytes, missing } = before;
    for (const [, copy] of entries) {
      if (copy === 'missing') missing++;
      else {
        count++;
        bytes += copy.length;
      }
    }
    return { ...before, length, hash, count, bytes, missing };
  }

  /** The blobs of the master's tree up to `tid` that the claim does not know. */
  private async newInTree(claim: BlobsClaim | undefined, tid: bigint) {
    const manifest = claim && claimedManifest(this.context.paths.blobs, claim);
    const { BlobSet } = await import('./blob-set.js');
    const ids = new BlobSet();
    for await (const id of this.master.allBlobs()) {
      const copy = id.tid <= tid ? manifest?.get(id) : 'missing';
      if (copy === undefined) ids.addId(id);
    }
    return ids;
  }

  /** The blobs of the claim are in another directory: what is here is somebody's copy of it. */
  private isMoved(): boolean {
    const claim = this.dat?.blobs;
    return claim !== undefined && claim.directory !== this.slave.path;
  }

  private expect(files: number): void {
    this.expected = files;
    this.progress = { files: 0, bytes: 0 };
  }

  private done<T>(entry: T): T {
    this.progress.files++;
    this.context.onProgress(this.progress, this.expected);
    return entry;
  }
}

/** Notes durably which blobs are complete, every few seconds: a run that is killed does not begin anew. */
class Journal {
  private entries: (readonly [BlobId, Copy])[] = [];
  private last = Date.now();
  private flushing: Promise<void> = Promise.resolve();

  constructor(
    private readonly writer: ManifestWriter,
    private readonly slave: SlaveTree,
  ) {}

  async add(id: BlobId, copy: Copy): Promise<void> {
    if (copy !== 'missing') this.entries.push([id, copy]);
    if (this.entries.length < JOURNAL_FILES && Date.now() - this.last < JOURNAL_MS) return;
    this.last = Date.now();
    this.flushing = this.flushing.then(() => this.flush());
    await this.flushing;
  }

  /** Notes the rest, unless noting has failed: then the error was thrown already. */
  async close(): Promise<void> {
    try {
      await this.flushing.then(() => this.flush());
    } finally {
      this.writer.close();
    }
  }

  private async flush(): Promise<void> {
    const entries = this.entries.splice(0);
    if (entries.length === 0) return;
    await this.slave.settle();
    this.writer.append(entries);
  }
}
