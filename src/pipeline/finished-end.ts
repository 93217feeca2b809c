import { BackwardReader, type ByteSource } from '../filestorage/backward.js';
import { STATUS_IN_FLIGHT } from '../filestorage/layout.js';

/** Two transactions are examined at the most. Whoever copies the file reads these bytes once more. */
const PROBE_BYTES = 4096;

/**
 * The end of the last finished transaction of a file that may be written meanwhile, found from the file's end: no byte
 * before it changes any more. A transaction is finished when its status says so, and the next one is written only then.
 * So its header vouches for all bytes up to its end that are read AFTER the header was seen. What is in flight behind
 * it does not count, however complete it looks: it may be aborted and replaced.
 *
 * undefined: the file's end does not show it, because it is being written at this moment, or is damaged.
 */
export async function finishedEnd(source: ByteSource): Promise<number | undefined> {
  const backward = new BackwardReader(source, PROBE_BYTES);
  const last = await backward.endingAt(source.size);
  if (last?.status !== STATUS_IN_FLIGHT) return last && source.size;
  const finished = await backward.endingAt(last.position);
  return finished && finished.status !== STATUS_IN_FLIGHT ? last.position : undefined;
}
