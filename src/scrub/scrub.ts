import { MAGIC_LENGTH } from '../filestorage/layout.js';
import { IoFault } from '../io/fault.js';
import { OpenFile } from '../io/open-file.js';
import { Exchanged } from '../pipeline/copy.js';
import type { Master } from '../pipeline/master.js';
import type { ReadDeadline } from '../pipeline/read-deadline.js';
import type { Resume } from '../pipeline/resume.js';
import type { Readable } from '../pipeline/scan.js';
import type { Work } from '../pipeline/work.js';
import type { ChunkLine } from '../standby/dat.js';
import { readScrubProgress, type ScrubProgress, writeScrubProgress } from '../standby/scrub-file.js';
import { NOT_SCRUBBED, Round, type ScrubAmount, type Scrubbed } from './round.js';

/**
 * Reads a slice of what was copied long ago again, on both sides, and goes on with the next run where this one ended: round
 * and round, for ever. Where the sides differ, the recorded hash tells which one is wrong. A wrong slave is repaired from
 * the master; a wrong master is told and never copied.
 *
 * @param reached the slave's chunks, up to where it equals the master
 * @param seen the master that this run has synced from
 */
export async function scrub(work: Work, amount: ScrubAmount, reached: Resume, seen: Master): Promise<Scrubbed> {
  if (reached.chunks.length === 0) return NOT_SCRUBBED;
  const slave = OpenFile.openHere(work.paths.data);
  try {
    const { inode } = slave.facts();
    const progress = readScrubProgress(work.paths, inode);
    const full = amount === 'full';
    const from = full || progress.next >= reached.position ? MAGIC_LENGTH : progress.next;
    const to = full ? reached.position : Math.min(reached.position, from + amount);
    const round = new Round(work, seen, readableWithDeadline(slave, work.deadline), inode);
    const complete = await round.run(reached.chunks, { from, to, full });
    // What is told to be right has to be durable: a repair of this run, and one of a run that was killed in its middle.
    slave.syncData();
    if (complete) {
      const ended = to === reached.position;
      noteProgress(work, inode, {
        next: ended ? MAGIC_LENGTH : to,
        lastFull: ended ? new Date() : progress.lastFull,
      });
    } else work.report({ level: 'info', message: 'the master was exchanged; the next run goes on with the scrub' });
    return round.scrubbed;
  } finally {
    slave.closeQuietly();
  }
}

/**
 * Repairs chunks of the slave that the looks have found wrong, and makes that durable. Nothing else of the slave may be
 * changed before: what is appended behind wrong bytes, or claimed with them, would hide from the next run what is rot, and
 * what is its own.
 *
 * @param seen the master that the looks have looked at; Exchanged where its path names another file by now
 * @param slaveInode of the file that the looks have looked at
 * @returns with `rot`: the master has not, or not any more, what was copied, and the slave is left as it is
 */
export async function repairKnown(
  work: Work,
  chunks: readonly ChunkLine[],
  seen: Master,
  slaveInode: string,
): Promise<Scrubbed> {
  const slave = OpenFile.openHere(work.paths.data);
  try {
    const round = new Round(work, seen, readableWithDeadline(slave, work.deadline), slaveInode);
    if (!(await round.judgeAll(chunks))) throw new Exchanged(seen.path);
    slave.syncData();
    return round.scrubbed;
  } finally {
    slave.closeQuietly();
  }
}

/** The slave, read so that a signal is heard between two windows. */
function readableWithDeadline(file: OpenFile, deadline: ReadDeadline): Readable {
  const read = (into: Uint8Array, length: number, position: number): Promise<number> =>
    deadline.wait(file.readLater(into, length, position), 'read', file.path, position);
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
    work.report({ level: 'warn', message: `how far the scrub has come could not be noted: ${error.message}` });
  }
}
