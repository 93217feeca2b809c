import { removeIfThere, syncDirectory } from '../io/directory.js';
import { factsOfPath } from '../io/facts.js';
import { IoFault } from '../io/fault.js';
import { temporaryOf } from '../io/replace.js';
import { Exchanged } from '../pipeline/copy.js';
import type { Rot } from '../pipeline/damage.js';
import { Master } from '../pipeline/master.js';
import { usableDat } from '../pipeline/observe.js';
import { Interrupted } from '../pipeline/read-deadline.js';
import { hashOf } from '../pipeline/verified.js';
import type { Window } from '../pipeline/window.js';
import type { Work } from '../pipeline/work.js';
import type { ChunkLine } from '../standby/dat.js';
import { readDatFile } from '../standby/dat-file.js';
import { readCovered, writeIndexFile, writeIndexPieces } from '../standby/index-file.js';
import type { SlavePaths } from '../standby/paths.js';
import { IndexLost, type IndexMaker } from './builder.js';
import { firstChanged, makeIndex } from './refresh.js';

/**
 * The index beside the slave. FileStorage accepts an index whose last transaction is where it says. So an index of
 * other bytes must never exist beside the slave, not even between two writes that a crash may separate.
 */

/**
 * Removes an index that covers bytes about to be cut off, or that cannot be read. The caller makes the removal durable
 * before it writes a byte. Returns whether an index was removed.
 */
export function dropIndexBeyond(work: Work, position: number): boolean {
  const covered = readCovered(work.paths.index);
  if ('missing' in covered || ('end' in covered && covered.end <= position)) return false;
  return factsOfPath(work.paths.index)?.kind !== 'directory' && removeIfThere(work.paths.index);
}

/**
 * Before bytes from `position` on are repaired: removes, durably, an index that covers any of them. It may have been
 * built from the wrong bytes, and would lead a server to records that are no longer there. The directory is synced even
 * if no index is left: a killed run may have removed it in memory only.
 */
export function dropIndexBeforeRepair(work: Work, position: number): void {
  const dropped = dropIndexBeyond(work, position);
  syncDirectory(work.paths.directory);
  if (!dropped) return;
  const { index, data } = work.paths;
  const hint = `a sync that appends builds it again when it is due, and so does: syncpozo index ${data}`;
  const message = 'the index is removed, because it covers bytes of the slave that are repaired now';
  work.report({ level: 'warn', message, fields: { path: index, hint } });
}

/** Removes the unfinished index of a killed run. */
export function dropUnfinishedIndex(work: Work): void {
  try {
    removeIfThere(temporaryOf(work.paths.index));
  } catch (error) {
    if (!(error instanceof IoFault)) throw error;
    work.report({ level: 'warn', message: `an unfinished index stays: ${error.message}` });
  }
}

/** After a copy of everything: writes the index that was built during the copy. */
export async function writeIndexAfterCopy(work: Work, maker: IndexMaker, end: number): Promise<void> {
  const pieces = maker.pieces(end);
  if (!pieces) {
    await refreshSlaveIndex(work);
    return;
  }
  try {
    await reportFailure(work, async () => writeIndexPieces(work.paths, pieces));
  } catch (error) {
    if (!(error instanceof IndexLost)) throw error;
    await refreshSlaveIndex(work);
  }
}

/**
 * After an append: refreshes an index that leaves so many bytes uncovered that a server would start slowly. If the
 * slave does not have the copied bytes, they are repaired first, and the index is built from the repaired ones.
 *
 * @param repair repairs these chunks of the slave, durably
 * @returns why that failed: the master does not have the copied bytes either
 */
export async function refreshLaggingIndex(
  work: Work,
  position: number,
  repair: (chunks: readonly ChunkLine[]) => Promise<Rot | undefined>,
): Promise<Rot | undefined> {
  const { indexLagBytes } = work;
  if (indexLagBytes === undefined || position <= indexLagBytes) return undefined;
  const covered = readCovered(work.paths.index);
  if (position - ('end' in covered ? covered.end : 0) <= indexLagBytes) return undefined;
  const repaired = new Set<number>();
  for (;;) {
    // A repair removes an index that covered it, so the next pass may begin further back.
    const changed = await refreshSlaveIndex(work);
    const again = changed.find(({ start }) => repaired.has(start));
    if (again) {
      const detail = `the bytes up to ${again.end} were repaired, and are wrong again`;
      throw new IoFault('read', work.paths.data, 'ELOST', detail, again.start);
    }
    if (changed.length === 0) return undefined;
    const rot = await repair(changed);
    if (rot) return rot;
    for (const { start } of changed) repaired.add(start);
  }
}

/** Returns the chunks that do not have the copied bytes. If there are any, no index is written. */
async function refreshSlaveIndex(work: Work): Promise<readonly ChunkLine[]> {
  let changed: readonly ChunkLine[] = [];
  await reportFailure(work, async () => {
    const { paths, source, deadline } = work;
    const slave = await Master.open(paths.data, deadline);
    if (!slave) throw new IoFault('open', paths.data, 'ENOENT', 'the slave is gone');
    try {
      const copied = copiedChunks(paths, slave.facts.inode);
      const made = await makeIndex(paths.index, slave, source, copied);
      const wrong = firstChanged(made, copied);
      if (wrong) {
        changed = await changedFrom(wrong, copied, slave, source.window);
        const fields = { chunks: changed.length, from: wrong.start, to: wrong.end };
        work.report({
          level: 'warn',
          message: 'no index is made: the slave has bytes that are not those copied',
          fields,
        });
        return;
      }
      if (made.action === 'changed') return;
      const { action, index, resume, read, problem } = made;
      if (problem) work.report({ level: 'warn', message: `the index is rebuilt: ${problem}` });
      // ZODB does not open a file without records beside an index of it.
      if (index.size === 0) return void removeIfThere(paths.index);
      if (action === 'none') return;
      writeIndexFile(paths, index, resume.position);
      const fields = { objects: index.size, end: resume.position, read };
      work.report({ level: 'info', message: `the index is ${action}`, fields });
    } finally {
      slave.close();
    }
  });
  return changed;
}

/**
 * The chunks that the slave's `.dat` records for the file with this inode; none if it describes another file or is
 * unusable.
 */
export function copiedChunks(paths: SlavePaths, inode: string): readonly ChunkLine[] {
  return usableDat(readDatFile(paths), inode).dat?.chunks ?? [];
}

/** Chunks from `first` on that do not have the copied bytes. */
async function changedFrom(
  first: ChunkLine,
  copied: readonly ChunkLine[],
  slave: Master,
  window: Window,
): Promise<ChunkLine[]> {
  const changed: ChunkLine[] = [];
  for (const chunk of copied) {
    if (chunk.start < first.start) continue;
    if ((await hashOf(slave, chunk, window)) !== chunk.hash) changed.push(chunk);
  }
  return changed;
}

/**
 * A failed index write is only reported: without an index the slave is correct, and a server only takes longer to
 * start. A failed fsync fails the run, because the disk may have lost other bytes as well.
 */
async function reportFailure(work: Work, write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    if (!(error instanceof IoFault || error instanceof Exchanged || error instanceof Interrupted)) throw error;
    if (error instanceof IoFault && error.operation.startsWith('fsync')) throw error;
    work.report({ level: 'warn', message: `the slave is in step, but its index was not written: ${error.message}` });
  }
}
