import { join } from 'node:path';
import { factsOfPath } from '../io/facts.js';
import { OpenFile } from '../io/open-file.js';
import { makeDirectory } from '../io/temporary.js';
import { BlobDirectory, blobPaths } from './blobs.js';
import { readHistory } from './history.js';
import type { LiveSite } from './live.js';
import { Site } from './site.js';

/**
 * The part of a sync's result that the demo reads; the complete result is the JSON object of `syncpozo sync --json`.
 */
export interface SyncOutcome {
  readonly action: string;
  readonly reason: string;
  readonly exitCode: number;
  readonly copied: { readonly bytes: number; readonly transactions: number };
  readonly blobs?: { readonly copied: number; readonly removed: number } | null;
  readonly seconds: number;
}

/** The function behind `syncpozo sync MASTER SLAVE --blobs MASTER_DIR:SLAVE_DIR`. */
export type Sync = (round: {
  readonly master: string;
  readonly slave: string;
  readonly statusFile: string;
  readonly full: boolean;
  readonly blobs: BlobSides;
}) => Promise<SyncOutcome>;

/** Both blob directories, and the sync's ordinary way with them. */
export interface BlobSides {
  readonly master: string;
  readonly slave: string;
  readonly by: 'records';
  readonly way: 'copy';
  readonly keepPacked: boolean;
}

/** The part of a promotion's result that the demo reads. */
export interface PromotionOutcome {
  readonly promoted: boolean;
  readonly exitCode: number;
  readonly slave: { readonly lastTid: string | null };
  readonly blobs: { readonly count: number; readonly problems: readonly string[] } | null;
  readonly loss: { readonly possible: boolean; readonly afterTid: string } | null;
}

/** The function behind `syncpozo promote SLAVE`. */
export type Promote = (round: { readonly slave: string; readonly statusFile: string }) => Promise<PromotionOutcome>;

/** The part of a rejoin's result that the demo reads. */
export interface RejoinOutcome {
  readonly action: string;
  readonly reason: string;
  readonly exitCode: number;
  readonly lost: { readonly transactions: number; readonly file: string | null; readonly blobs: string | null } | null;
  readonly copied: { readonly bytes: number; readonly transactions: number };
  readonly seconds: number;
}

/** The function behind `syncpozo rejoin MASTER SLAVE --blobs MASTER_DIR:SLAVE_DIR`. */
export type Rejoin = (round: {
  readonly master: string;
  readonly slave: string;
  readonly statusFile: string;
  readonly blobs: BlobSides;
}) => Promise<RejoinOutcome>;

/** The functions behind the commands. */
export interface Commands {
  readonly sync: Sync;
  readonly promote: Promote;
  readonly rejoin: Rejoin;
}

/** The two sides, by who served first. */
interface Sides {
  readonly master: string;
  readonly slave: string;
  readonly statusFile: string;
  readonly blobs: BlobSides;
}

/** A master and a slave in one directory, and what the demo's steps do with them. */
export class Stage {
  readonly master: string;
  readonly slave: string;
  readonly masterFile: string;
  readonly slaveFile: string;
  readonly statusFile: string;
  readonly blobs: BlobDirectory;
  private readonly blobSides: BlobSides;
  private site: Site | undefined;

  constructor(
    directory: string,
    private readonly commands: Commands,
  ) {
    this.master = join(directory, 'master');
    this.slave = join(directory, 'slave');
    this.masterFile = join(this.master, 'Data.fs');
    this.slaveFile = join(this.slave, 'Data.fs');
    this.statusFile = join(directory, 'syncPozo.status');
    makeDirectory(this.master);
    makeDirectory(this.slave);
    const [master, slave] = [join(directory, 'master-blobs'), join(directory, 'slave-blobs')];
    for (const path of [master, slave]) makeDirectory(path);
    this.blobSides = { master, slave, by: 'records', way: 'copy', keepPacked: false };
    this.blobs = BlobDirectory.begin(master);
    this.site = Site.create(this.masterFile);
  }

  sync(full = false): Promise<SyncOutcome> {
    const { master, slave, statusFile, blobSides: blobs } = this;
    return this.commands.sync({ master, slave, statusFile, full, blobs });
  }

  promote(): Promise<PromotionOutcome> {
    return this.commands.promote({ slave: this.slave, statusFile: this.statusFile });
  }

  /** What the same commands do on the other host, where the two sides have changed their roles. */
  get back(): { sync(): Promise<SyncOutcome>; promote(): Promise<PromotionOutcome>; rejoin(): Promise<RejoinOutcome> } {
    const { master, slave, statusFile, blobSides } = this;
    const blobs = { ...blobSides, master: blobSides.slave, slave: blobSides.master };
    const sides: Sides = { master: slave, slave: master, statusFile: `${statusFile}-of-the-old-master`, blobs };
    return {
      sync: () => this.commands.sync({ ...sides, full: false }),
      promote: () => this.commands.promote(sides),
      rejoin: () => this.commands.rejoin(sides),
    };
  }

  rejoin(): Promise<RejoinOutcome> {
    const { master, slave, statusFile, blobSides: blobs } = this;
    return this.commands.rejoin({ master, slave, statusFile, blobs });
  }

  get liveSite(): Site {
    if (this.site === undefined) throw new Error('the master does not serve');
    return this.site;
  }

  /** The master's server stops. */
  stopSite(): void {
    this.site?.close();
    this.site = undefined;
  }

  startSite(): void {
    this.site = Site.open(this.masterFile);
  }

  /**
   * Closes the master's file, so that another thread can act as the site, and reopens it after `use`, which returns
   * when that thread has ended.
   */
  async handOver<T>(use: (site: LiveSite) => Promise<T>): Promise<T> {
    this.stopSite();
    const result = await use({ path: this.masterFile, blobPath: this.blobs.path });
    this.startSite();
    return result;
  }

  /** Whether the slave holds exactly the master's first `end` bytes, and nothing more. */
  slaveEquals(end: number): boolean {
    const slave = readAll(this.slaveFile);
    return slave.length === end && Buffer.compare(slave, readAll(this.masterFile).subarray(0, end)) === 0;
  }

  /** Whether the slave has the file of every blob that the transactions of this Data.fs name, as the master has it. */
  hasBlobsOf(data: Uint8Array): boolean {
    const { master, slave } = this.blobSides;
    return blobPaths(readHistory(data)).every((path) => {
      const [ours, theirs] = [join(slave, path), join(master, path)];
      return factsOfPath(ours) !== undefined && Buffer.compare(readAll(ours), readAll(theirs)) === 0;
    });
  }

  /** Whether the slave's blob directory has a file. */
  slaveHas(path: string): boolean {
    return factsOfPath(join(this.blobSides.slave, path)) !== undefined;
  }

  /** Whether both files have the same bytes. */
  get areEqual(): boolean {
    return Buffer.compare(readAll(this.slaveFile), readAll(this.masterFile)) === 0;
  }
}

export function readAll(path: string): Uint8Array {
  const file = OpenFile.openHere(path);
  try {
    const bytes = new Uint8Array(file.facts().size);
    return bytes.subarray(0, file.read(bytes, bytes.length, 0));
  } finally {
    file.close();
  }
}

/** Overwrites bytes of a file at `position`. Returns the bytes that were there. */
export function overwrite(path: string, bytes: Uint8Array, position: number): Uint8Array {
  const file = OpenFile.openToWrite(path);
  try {
    const old = new Uint8Array(bytes.length);
    file.read(old, old.length, position);
    file.write(bytes, position);
    return old;
  } finally {
    file.close();
  }
}

/** Truncates a file to `size` bytes, as a damaged file system may do. */
export function cutFile(path: string, size: number): void {
  const file = OpenFile.openToWrite(path);
  file.truncate(size);
  file.close();
}
