import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type IndexResult, runIndex } from '../../src/commands/index.js';
import { runSync, type SyncResult } from '../../src/commands/sync.js';
import type { DiskOperation } from '../../src/io/observer.js';
import { ReadDeadline } from '../../src/pipeline/read-deadline.js';
import { SILENT } from '../../src/report/log.js';
import type { ScrubAmount } from '../../src/scrub/round.js';
import { Site, steadyClock } from '../support/site.js';
import { transactionEdges } from './edges.js';
import { DATA } from './history.js';
import { SIZES } from './one-sync.js';
import type { Openings } from './opens.js';

/** A run whose crashes are enumerated, and the state of master and slave that it begins with. */
export interface Scenario {
  readonly name: string;
  prepare(stage: Stage): void | Promise<void>;
  /** The run is a `sync --full`. */
  readonly full?: boolean;
  /** What the run, and the one after a crash of it, read again; nothing unless told. */
  readonly scrub?: ScrubAmount;
  /** The run gives the slave's wrong bytes back their old values: until it ends any of them may be wrong or right. */
  readonly repairs?: boolean;
  /** The run is `syncpozo index` on the slave. */
  readonly index?: boolean;
  /** So many bytes of the slave may its index leave uncovered; 64 MiB unless told. */
  readonly indexLagBytes?: number;
  /** How the run ends; 0 unless told. */
  readonly exitCode?: number;
  /** Told of each operation of the run when it has been done. */
  during?(stage: Stage, operation: DiskOperation): void;
  /** What happens between the run and the next sync. */
  afterwards?(stage: Stage): void;
  /** Its states are so many, or so like another scenario's, that crashes two deep are left to the campaign. */
  readonly large?: boolean;
  /** Its crashes two deep take minutes, and another scenario is like it: they are left to the campaign and to the mutation gate. */
  readonly slow?: boolean;
  /** The slave is another program's copy, and nothing of it has been made durable when the run begins. */
  readonly copiedUnsynced?: boolean;
  /** A rebuild was killed behind its rename of `Data.fs.new`, which is in memory only when the run begins. */
  readonly swappedUnsynced?: boolean;
  /** The slave breaks its claim before the run. */
  readonly claimBroken?: boolean;
  /** The master's file is another one than the slave was copied from, so the slave is made anew. */
  readonly packed?: boolean;
  /** The slave has transactions of its own, which must not be lost. */
  readonly keepsOwn?: boolean;
  /** The file may be rebuilt without `--full`, and is kept because nothing proves that its transactions are the master's. */
  readonly keptInDoubt?: boolean;
  /** The next sync refuses as well: whatever a crash of the run leaves, or where the refusal is on the disk. */
  readonly staysRefused?: 'always' | 'once recorded';
  /** They are kept by moving the file away, which leaves the slave's path empty for a moment. */
  readonly movesAside?: boolean;
}

/** A master and a slave in directories of their own. */
export class Stage {
  readonly master: string;
  readonly slave: string;
  readonly clock = steadyClock();
  /** Committed bytes of everything that the master has been. */
  readonly generations: Uint8Array[] = [];
  /** What the master's role file names. */
  readonly terms: { readonly term: number; readonly tid: bigint }[] = [];

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

  /** A new site with some pages as its master. */
  site(pages = 3): Site {
    const site = Site.create(this.masterFile, { clock: this.clock });
    write(site, pages, 60);
    return site;
  }

  /** What the scenario enumerates, as the command line runs it. */
  run({
    full,
    scrub,
    index,
    indexLagBytes,
  }: Scenario): Promise<{ readonly exitCode: number; readonly reason: string }> {
    return index ? this.index() : this.sync(full, scrub, indexLagBytes);
  }

  /** The next sync, as the command line runs it. */
  sync(full = false, scrub: ScrubAmount = 0, indexLagBytes = 1 << 26): Promise<SyncResult> {
    const statusFile = join(this.directory, 'status');
    const sides = { master: this.master, slave: this.slave, statusFile };
    return runSync({ ...sides, full, scrub, indexLagBytes, workers: 0, ...SIZES });
  }

  private index(): Promise<IndexResult> {
    const { chunkBytes } = SIZES;
    const deadline = new ReadDeadline(30);
    return runIndex({ path: this.slave, file: DATA, workers: 0, chunkBytes, log: SILENT, deadline });
  }

  /** Brings the slave in step; throws where that does not succeed. */
  async inStep(): Promise<void> {
    const { exitCode, reason } = await this.sync();
    if (exitCode !== 0) throw new Error(`the slave could not be brought in step: ${reason}`);
    this.remember();
  }

  /** What the master is now may be what a slave claims to equal. */
  remember(): void {
    const bytes = readFileSync(this.masterFile);
    this.generations.push(bytes.subarray(0, transactionEdges(bytes).at(-1)));
  }

  /** Leaves the index of the slave beside it, as a server that was shut down does. */
  async indexSlave(): Promise<void> {
    await this.openings.makeIndex(this.slaveFile);
  }
}

/** Commits a text of about so many bytes to page 1, 2, 3 and so on, each in a transaction of its own. */
export function write(site: Site, pages: number, length: number, mark = 'text'): void {
  for (let page = 1; page <= pages; page++) {
    site.commit(site.pages(new Map([[page, `${mark} of page ${page} `.padEnd(length, '.')]])));
  }
}
