import { MAGIC_LENGTH } from '../filestorage/layout.js';
import { IoFault } from '../io/fault.js';
import { OpenFile } from '../io/open-file.js';
import type { ChunkLine } from '../standby/dat.js';
import { readScrubProgress, type ScrubProgress, writeScrubProgress } from '../standby/scrub-file.js';
import type { Resume, Rot } from './facts.js';
import { Master } from './master.js';
import type { Patience } from './patience.js';
import { repairChunk } from './repair.js';
import type { Readable } from './scan.js';
import { NOT_SCRUBBED, type ScrubAmount, type Scrubbed } from './scrub-amount.js';
import { describeRot, examineChunk, looksSound } from './scrub-chunk.js';
import { Window } from './window.js';
import type { Work } from './work.js';

/**
 * Reads a slice of what was copied long ago again, on both sides, and goes on with the next run where this one ended: round
 * and round, for ever. Where the sides differ, the recorded hash tells which one is wrong. A wrong slave is repaired from
 * the master; a wrong master is told and never copied.
 *
 * The master is opened afresh: what this run has copied may have let go of its descriptor. A difference is believed only
 * when another fresh opening shows it as well, and only as long as the path still names that file.
 *
 * @param reached the slave's chunks, up to where it equals the master
 * @param suspects chunks that this run has found wrong already: they are looked at whatever the amount
 * @param seen the master that this run has synced from
 */
export async function scrub(
  work: Work,
  amount: ScrubAmount,
  reached: Resume,
  seen: Master,
  suspects: readonly ChunkLine[] = [],
): Promise<Scrubbed> {
  if (reached.chunks.length === 0) return NOT_SCRUBBED;
  const slave = OpenFile.openHere(work.paths.data);
  try {
    const { inode } = slave.facts();
    const progress = readScrubProgress(work.paths, inode);
    const from = amount === 'full' || progress.next >= reached.position ? MAGIC_LENGTH : progress.next;
    const to = amount === 'full' ? reached.position : Math.min(reached.position, from + amount);
    const round = new Round(work, seen, patientlyReadable(slave, work.patience), from, to, amount === 'full');
    const complete = (await round.judgeAll(suspects)) && (await round.run(reached.chunks));
    // What is told to be right has to be durable: a repair of this run, and one of a run that was killed in its middle.
    slave.syncData();
    if (complete && amount !== 0) {
      const ended = to === reached.position;
      noteProgress(work, inode, {
        next: ended ? MAGIC_LENGTH : to,
        lastFull: ended ? new Date() : progress.lastFull,
      });
    }
    return { bytes: round.bytes, bad: round.bad, rot: round.rot, rotten: round.rotten };
  } finally {
    slave.closeQuietly();
  }
}

/** The slave, read so that a signal is heard between two windows. */
function patientlyReadable(file: OpenFile, patience: Patience): Readable {
  const read = (into: Uint8Array, length: number, position: number): Promise<number> =>
    patience.wait(file.readLater(into, length, position), 'read', file.path, position);
  return {
    path: file.path,
    size: file.facts().size,
    read: (window, length, position) => read(window.bytes, length, position),
    readBytes: (into, position) => read(into, into.length, position),
  };
}

function noteProgress(work: Work, inode: string, progress: ScrubProgress): void {
  try {
    writeScrubProgress(work.paths, inode, progress);
  } catch (error) {
    if (!(error instanceof IoFault)) throw error;
    // The slave is in step and sound; only the next slice is the same one again.
    work.tell({ level: 'warn', message: `how far the scrub has come could not be noted: ${error.message}` });
  }
}

/** One slice, [from, to), of a round. */
class Round {
  bytes = 0;
  bad = 0;
  rotten = 0;
  rot: Rot | undefined;
  private readonly windows: readonly [Window, Window];

  constructor(
    private readonly work: Work,
    private readonly seen: Master,
    private readonly slave: Readable,
    private readonly from: number,
    private readonly to: number,
    private readonly full: boolean,
  ) {
    this.windows = [work.source.window, new Window(work.source.window.size)];
  }

  /** Returns whether all of these were judged. */
  async judgeAll(chunks: readonly ChunkLine[]): Promise<boolean> {
    for (const chunk of chunks) {
      if (!(await this.withMaster((master) => this.judge(chunk, master)))) return false;
      this.bytes += chunk.end - chunk.start;
    }
    return true;
  }

  /** Returns whether all of the slice was read: not where the master was exchanged in the middle. */
  async run(chunks: readonly ChunkLine[]): Promise<boolean> {
    if (this.from === this.to) return true;
    return this.withMaster(async (master) => {
      for (const chunk of chunks) {
        const from = Math.max(this.from, chunk.start);
        const to = Math.min(this.to, chunk.end);
        if (from >= to) continue;
        const hash = this.full ? chunk.hash : undefined;
        const sound = await looksSound({ from, to, hash }, master, this.slave, this.windows);
        if (!sound && !(await this.withMaster((fresh) => this.judge(chunk, fresh)))) return false;
        this.bytes += to - from;
      }
      return true;
    });
  }

  /** Opens the master afresh for `use`; false when it is not the file any more that this run has synced from. */
  private async withMaster(use: (master: Master) => Promise<boolean>): Promise<boolean> {
    const { path, facts } = this.seen;
    const master = await Master.open(path, this.work.patience);
    try {
      if (master?.facts.inode === facts.inode && master.facts.device === facts.device) return await use(master);
      this.work.tell({ level: 'info', message: 'the master was exchanged; the next run goes on with the scrub' });
      return false;
    } finally {
      master?.close();
    }
  }

  private async judge(chunk: ChunkLine, master: Master): Promise<boolean> {
    const state = await examineChunk(chunk, master, this.slave, this.windows);
    if (state.masterSound && state.slaveSound) return true;
    if (!(await master.isStillThere())) return false;
    this.bad++;
    const place = { from: chunk.start, to: chunk.end, at: state.firstDifference };
    if (state.masterSound) {
      const written = await this.repair(chunk, state, master);
      const message = 'bytes of the slave were not those that had been copied, and are repaired from the master';
      this.work.tell({ level: 'warn', message, fields: { ...place, written } });
    } else {
      const rot = await describeRot(chunk, state, this.slave, this.windows[0]);
      this.rot ??= rot;
      this.rotten++;
      const message = 'bytes of the master are not those that were copied; the slave is left as it is';
      this.work.tell({ level: 'warn', message, fields: { ...place, slaveSound: state.slaveSound } });
    }
    return true;
  }

  private async repair(chunk: ChunkLine, state: Parameters<typeof repairChunk>[1], master: Master): Promise<number> {
    const file = OpenFile.openToWrite(this.work.paths.data);
    try {
      return await repairChunk(chunk, state, master, file, this.slave, this.windows);
    } finally {
      file.close();
    }
  }
}
