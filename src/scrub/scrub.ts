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
 * Rereads a slice of the bytes that were copied long ago, on both sides. The next run continues where this one ends,
 * and starts over at the end of the file. Where the sides differ, the recorded hash shows which one is wrong. A wrong
 * slave is repaired from the master; a wrong master is reported and never copied.
 *
 * @param reached the slave's chunks, up to where it equals the master
 * @param seen the master that this run synced from
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
    // Bytes reported as correct must be durable: a repair of this run, or of a run that was killed during one.
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
 * Repairs chunks of the slave that the probes found wrong, and makes that durable. It must come before any other change
 * of the slave: bytes appended behind wrong ones, or claimed with them, would hide from the next run which bytes are
 * rot and which are the slave's own.
 *
 * @param seen the master that the probes read; throws Exchanged if its path names another file by now
 * @param slaveInode inode of the slave file that the probes read
 * @returns with `rot`: the master does not have the copied bytes either, and the slave is left as it is
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

/** The slave, read asynchronously, so that a signal takes effect between two windows. */
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
    // The slave is in step and verified; the next run only rereads the same slice.
    work.report({ level: 'warn', message: `how far the scrub has come could not be noted: ${error.message}` });
  }
}
