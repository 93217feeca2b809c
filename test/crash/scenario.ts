import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BlobSettings } from '../../src/blobs/settings.js';
import { type IndexResult, runIndex } from '../../src/commands/index.js';
import type { DiskOperation } from '../../src/io/observer.js';
import { ReadDeadline } from '../../src/pipeline/read-deadline.js';
import { SILENT } from '../../src/report/log.js';
import { type Member, runSync, type SyncResult } from '../../src/round/run-sync.js';
import type { ScrubAmount } from '../../src/scrub/round.js';
import { Site, steadyClock } from '../support/site.js';
import { type BlobLayout, BlobSite } from './blob-site.js';
import type { Change } from './change.js';
import { transactionEdges } from './edges.js';
import { memberOfGroup } from './group-member.js';
import { DATA } from './history.js';
import { BLOBS } from './image.js';
import { SIZES } from './one-sync.js';
import type { Openings } from './opens.js';

/** A run whose crashes are enumerated, and the state of master and slave before it. */
export interface Scenario {
  readonly name: string;
  prepare(stage: Stage): void | Promise<void>;
  /** The run is a `sync --full`. */
  readonly full?: boolean;
  /** What the run, and the one after a crash of it, rereads; default: nothing. */
  readonly scrub?: ScrubAmount;
  /** The run is that of a storage in a group: it ends at the group's moment, or is dropped before anything is visible. */
  readonly group?: 'ready' | 'dropped';
  /** The run restores the slave's wrong bytes: until it ends each of them may be wrong or right. */
  readonly repairs?: boolean;
  /** The run is `syncpozo index` on the slave. */
  readonly index?: boolean;
  /** How many bytes of the slave the index may leave uncovered; default 64 MiB. */
  readonly indexLagBytes?: number;
  /** How many files from before a pack are kept; default: none. */
  readonly packedFiles?: number;
  /** The exit status of the run; default 0. */
  readonly exitCode?: number;
  /** Called after each operation of the run. */
  during?(stage: Stage, operation: DiskOperation): void;
  /** What happens between the run and the next sync. */
  afterwards?(stage: Stage): void;
  /** It has so many states, or is so similar to another scenario, that crashes two deep are left to the campaign. */
  readonly large?: boolean;
  /** Its crashes two deep take minutes, and another scenario is similar: they are left to the campaign and the mutation gate. */
  readonly slow?: boolean;
  /** Even if crashes two deep are left to the campaign: the deaths after these changes are enumerated. */
  diesAfter?(change: Change): boolean;
  /** Another scenario is similar: all of it is left to the campaign and the mutation gate. */
  readonly rare?: boolean;
  /**
   * What was copied and not claimed yet is packed away by the master before the next sync: it may stay in the blob
   * directory, where nothing names it.
   */
  readonly leavesCopies?: boolean;
  /** The slave is another program's copy, and nothing of it is durable when the run begins. */
  readonly copiedUnsynced?: boolean;
  /** A rebuild was killed after its rename of `Data.fs.new`, which is in memory only when the run begins. */
  readonly swappedUnsynced?: boolean;
  /** The slave breaks its claim before the run. */
  readonly claimBroken?: boolean;
  /** The master's file is not the one that the slave was copied from, so the slave is rebuilt. */
  readonly packed?: boolean;
  /** The slave has transactions of its own, which must not be lost. */
  readonly keepsOwn?: boolean;
  /** The file may be rebuilt without `--full`, and is kept because nothing proves that the master has its transactions. */
  readonly keptInDoubt?: boolean;
  /** The next sync refuses as well: after any crash of the run, or if the refusal is on the disk. */
  readonly staysRefused?: 'always' | 'once recorded';
  /** They are kept by moving the file, which leaves the slave's path empty for a moment. */
  readonly movesAside?: boolean;
  /** The slave's blob directory is another program's copy, and nothing of it is durable when the run begins. */
  readonly blobsUnsynced?: boolean;
}

/** A master and a slave in their own directories. */
export class Stage {
  readonly master: string;
  readonly slave: string;
  readonly clock = steadyClock();
  /** Committed bytes of every version of the master. */
  readonly generations: Uint8Array[] = [];
  /** What the master's role file names. */
  readonly terms: { readonly term: number; readonly tid: bigint }[] = [];
  /** The master's blobs, and how they are synced; undefined: they are not. */
  blobs: (Pick<BlobSettings, 'way' | 'keepPacked'> & { readonly site: BlobSite }) | undefined;

  constructor(
    private readonly directory: string,
    private readonly openings: Openings,
  ) {
    this.master = join(directory, 'master');
    this.slave = join(directory, 'slave');
    mkdirSync(this.master);
    mkdirSync(this.slave);
  }

  get masterFile(): string {
    return join(this.master, DATA);
  }

  get slaveFile(): string {
    return join(this.slave, DATA);
  }

  /** Creates a new site with some pages as the master. */
  site(pages = 3): Site {
    const site = Site.create(this.masterFile, { clock: this.clock });
    write(site, pages, 60);
    return site;
  }

  /** From now on blobs are synced, into an empty directory. */
  withBlobs(layout: BlobLayout, { keepPacked = false, way = 'copy' }: Partial<BlobSettings> = {}): BlobSite {
    const site = new BlobSite(join(this.directory, 'master-blobs'), layout);
    mkdirSync(this.slaveBlobs);
    this.blobs = { site, keepPacked, way };
    return site;
  }

  get slaveBlobs(): string {
    return join(this.slave, BLOBS);
  }

  /** The run that the scenario enumerates, with the options of the command line. */
  run({
    full,
    scrub,
    index,
    indexLagBytes,
    group,
    packedFiles,
  }: Scenario): Promise<{ readonly exitCode: number; readonly reason: string }> {
    const member = group && memberOfGroup(this.masterFile, group === 'ready');
    return index ? this.index() : this.sync(full, scrub, indexLagBytes, member, packedFiles);
  }

  /** The next sync, with the options of the command line. */
  sync(
    full = false,
    scrub: ScrubAmount = 0,
    indexLagBytes = 1 << 26,
    member?: Member,
    keepPacked = 0,
  ): Promise<SyncResult> {
    const statusFile = join(this.directory, 'status');
    const sides = { master: this.master, slave: this.slave, statusFile };
    const blobs: BlobSettings | undefined = this.blobs && {
      master: this.blobs.site.directory,
      slave: this.slaveBlobs,
      by: 'records',
      way: this.blobs.way,
      keepPacked: this.blobs.keepPacked,
    };
    return runSync({
      ...sides,
      full,
      scrub,
      indexLagBytes,
      workers: 0,
      blobs,
      keepPacked,
      ...SIZES,
      ...(member && { member }),
    });
  }

  private index(): Promise<IndexResult> {
    const { chunkBytes } = SIZES;
    const deadline = new ReadDeadline(30);
    return runIndex({ path: this.slave, file: DATA, workers: 0, chunkBytes, log: SILENT, deadline });
  }

  /** Brings the slave in step; throws if that fails. */
  async inStep(packedFiles = 0): Promise<void> {
    const { exitCode, reason } = await this.sync(false, 0, undefined, undefined, packedFiles);
    if (exitCode !== 0) throw new Error(`the slave could not be brought in step: ${reason}`);
    this.remember();
  }

  /** From now on a slave may claim to equal the master's current version. */
  remember(): void {
    const bytes = readFileSync(this.masterFile);
    this.generations.push(bytes.subarray(0, transactionEdges(bytes).at(-1)));
  }

  /** Writes the slave's index, as a server does at shutdown. */
  async indexSlave(): Promise<void> {
    await this.openings.makeIndex(this.slaveFile);
  }
}

/** Commits a text of about this many bytes to page 1, 2, 3 and so on, each in its own transaction. */
export function write(site: Site, pages: number, length: number, mark = 'text'): void {
  for (let page = 1; page <= pages; page++) {
    site.commit(site.pages(new Map([[page, `${mark} of page ${page} `.padEnd(length, '.')]])));
  }
}
