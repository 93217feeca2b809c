import { dropIndexBeforeRepair } from '../index/slave-index.js';
import { describeRot, examineChunk, matchesOnBothSides } from '../pipeline/chunk-sides.js';
import type { Rot } from '../pipeline/damage.js';
import { Master } from '../pipeline/master.js';
import type { Readable } from '../pipeline/scan.js';
import type { Window } from '../pipeline/window.js';
import { openToWrite, type Work } from '../pipeline/work.js';
import type { ChunkLine } from '../standby/dat.js';
import { repairChunk } from './repair.js';

/** How many bytes of each side a run rereads; 0: none. */
export type ScrubAmount = number | 'full';

export interface Scrubbed {
  /** Bytes reread on each side. */
  readonly bytes: number;
  /** Chunks that did not have the copied bytes, on either side. */
  readonly bad: number;
  /** The first chunk that is wrong on the master; `rotten` counts them. */
  readonly rot: Rot | undefined;
  readonly rotten: number;
}

export const NOT_SCRUBBED: Scrubbed = { bytes: 0, bad: 0, rot: undefined, rotten: 0 };

/** [from, to) of the slave. `full`: its chunks are also compared with their hashes. */
export interface Slice {
  readonly from: number;
  readonly to: number;
  readonly full: boolean;
}

/**
 * Rereads chunks on both sides and judges them by their recorded hashes. A chunk that is wrong on the slave only is
 * repaired; an index that covers it is removed first, durably. The repair itself is not made durable here.
 *
 * The master is opened afresh, because the copy of this run may have closed its descriptor. A difference counts only if
 * a second fresh opening shows it as well, and only while the path still names that file.
 */
export class Round {
  bytes = 0;
  bad = 0;
  rotten = 0;
  rot: Rot | undefined;
  private readonly windows: readonly [Window, Window];

  constructor(
    private readonly work: Work,
    private readonly seen: Master,
    private readonly slave: Readable,
    private readonly slaveInode: string,
  ) {
    this.windows = [work.source.window, work.source.window.twin];
  }

  get scrubbed(): Scrubbed {
    const { bytes, bad, rot, rotten } = this;
    return { bytes, bad, rot, rotten };
  }

  /** Returns whether all chunks were judged; false if the master was exchanged meanwhile. */
  async judgeAll(chunks: readonly ChunkLine[]): Promise<boolean> {
    for (const chunk of chunks) {
      if (!(await this.withMaster((master) => this.judge(chunk, master)))) return false;
      this.bytes += chunk.end - chunk.start;
    }
    return true;
  }

  /** Returns whether the complete slice was read; false if the master was exchanged meanwhile. */
  async run(chunks: readonly ChunkLine[], slice: Slice): Promise<boolean> {
    if (slice.from === slice.to) return true;
    return this.withMaster(async (master) => {
      for (const chunk of chunks) {
        const from = Math.max(slice.from, chunk.start);
        const to = Math.min(slice.to, chunk.end);
        if (from >= to) continue;
        const hash = slice.full ? chunk.hash : undefined;
        const matches = await matchesOnBothSides({ from, to, hash }, master, this.slave, this.windows);
        if (!matches && !(await this.withMaster((fresh) => this.judge(chunk, fresh)))) return false;
        this.bytes += to - from;
      }
      return true;
    });
  }

  /** Opens the master afresh for `use`; false if it is no longer the file that this run synced from. */
  private async withMaster(use: (master: Master) => Promise<boolean>): Promise<boolean> {
    const { path, facts } = this.seen;
    const master = await Master.open(path, this.work.deadline);
    try {
      const isSame = master?.facts.inode === facts.inode && master.facts.device === facts.device;
      return isSame && (await use(master));
    } finally {
      master?.close();
    }
  }

  private async judge(chunk: ChunkLine, master: Master): Promise<boolean> {
    const state = await examineChunk(chunk, master, this.slave, this.windows);
    if (state.masterMatches && state.slaveMatches) return true;
    if (!(await master.isStillThere())) return false;
    this.bad++;
    const place = { from: chunk.start, to: chunk.end, at: state.firstDifference };
    if (state.masterMatches) {
      const written = await this.repair(chunk, state, master);
      const message = 'bytes of the slave were not those that had been copied, and are repaired from the master';
      this.work.report({ level: 'warn', message, fields: { ...place, written } });
    } else {
      const rot = await describeRot(chunk, state, this.slave, this.windows[0]);
      this.rot ??= rot;
      this.rotten++;
      const message = 'bytes of the master are not those that were copied; the slave is left as it is';
      this.work.report({ level: 'warn', message, fields: { ...place, slaveMatches: state.slaveMatches } });
    }
    return true;
  }

  private async repair(chunk: ChunkLine, state: Parameters<typeof repairChunk>[1], master: Master): Promise<number> {
    this.work.beforeWriting?.();
    const file = openToWrite(this.work.paths.data, this.slaveInode);
    try {
      dropIndexBeforeRepair(this.work, chunk.start);
      return await repairChunk(chunk, state, master, file, this.slave, this.windows);
    } finally {
      file.close();
    }
  }
}
