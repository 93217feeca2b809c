import { removeIfThere } from '../io/directory.js';
import { factsOfPath } from '../io/facts.js';
import { IoFault } from '../io/fault.js';
import { temporaryOf } from '../io/replace.js';
import { readCovered, writeIndexFile, writeIndexPieces } from '../standby/index-file.js';
import { Exchanged } from './copy.js';
import { IndexLost, type IndexMaker } from './index-maker.js';
import { makeIndex } from './index-refresh.js';
import { Master } from './master.js';
import { Interrupted } from './patience.js';
import type { Work } from './work.js';

/**
 * The index beside the slave. FileStorage believes an index whose last transaction is where it says; so one that belongs to
 * other bytes must not be there, not even for as long as a crash takes.
 */

/**
 * Removes an index that covers what is going to be cut off, or that nobody can read. The caller makes that durable before it
 * writes a byte.
 */
export function dropIndexBeyond(work: Work, position: number): void {
  const covered = readCovered(work.paths.index);
  if ('missing' in covered || ('end' in covered && covered.end <= position)) return;
  if (factsOfPath(work.paths.index)?.kind !== 'directory') removeIfThere(work.paths.index);
}

/** Removes what a killed run has left of an index that it was writing. */
export function dropHalfIndex(work: Work): void {
  try {
    removeIfThere(temporaryOf(work.paths.index));
  } catch (error) {
    if (!(error instanceof IoFault)) throw error;
    work.tell({ level: 'warn', message: `an unfinished index stays: ${error.message}` });
  }
}

/** After a copy of everything: the index of what its own reading has told. */
export async function leaveIndex(work: Work, maker: IndexMaker, end: number): Promise<void> {
  const pieces = maker.pieces(end);
  if (!pieces) return refreshSlaveIndex(work);
  try {
    await quietly(work, async () => writeIndexPieces(work.paths, pieces));
  } catch (error) {
    if (!(error instanceof IndexLost)) throw error;
    await refreshSlaveIndex(work);
  }
}

/** After an append: what the index does not cover may have become so much that a server would take long to start. */
export async function keepIndexNear(work: Work, position: number): Promise<void> {
  const { indexLagBytes } = work;
  if (indexLagBytes === undefined || position <= indexLagBytes) return;
  const covered = readCovered(work.paths.index);
  if (position - ('end' in covered ? covered.end : 0) > indexLagBytes) await refreshSlaveIndex(work);
}

async function refreshSlaveIndex(work: Work): Promise<void> {
  await quietly(work, async () => {
    const { paths, source, patience } = work;
    const slave = await Master.open(paths.data, patience);
    if (!slave) throw new IoFault('open', paths.data, 'ENOENT', 'the slave is gone');
    try {
      const { action, index, resume, read, problem } = await makeIndex(paths.index, slave, source);
      if (problem) work.tell({ level: 'warn', message: `the index is made anew: ${problem}` });
      if (action === 'none') return;
      writeIndexFile(paths, index, resume.position);
      const fields = { objects: index.size, end: resume.position, read };
      work.tell({ level: 'info', message: `the index is ${action}`, fields });
    } finally {
      slave.close();
    }
  });
}

/**
 * Without an index the slave is what it should be; a server only takes longer to start on it. Only where the disk does not
 * make durable what it was given the run fails: nobody knows what else it has lost.
 */
async function quietly(work: Work, write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    if (!(error instanceof IoFault || error instanceof Exchanged || error instanceof Interrupted)) throw error;
    if (error instanceof IoFault && error.operation.startsWith('fsync')) throw error;
    work.tell({ level: 'warn', message: `the slave is in step, but its index was not written: ${error.message}` });
  }
}
