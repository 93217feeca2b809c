import { BackwardReader, type FoundTransaction } from '../filestorage/backward.js';
import { STATUS_PACKED } from '../filestorage/layout.js';
import { type Ending, isSame } from './sides.js';

/**
 * Whether headers alone show that no pack of a continuation of the slave can have produced this master. The slave's
 * newest transaction would have to be on the master, behind the packed part and with the same contents. Cheap, so it
 * runs before anything is copied. `false` proves nothing.
 */
export async function lacksNewest(slave: Ending, master: Ending): Promise<boolean> {
  const ours = await newestOf(slave);
  if (!ours) return false;
  const transactions = new BackwardReader(master.source).from(master.end);
  for await (const found of transactions) {
    if (found.tid === ours.tid) {
      return found.status !== STATUS_PACKED && !(await isSame(slave.source, ours, master.source, found));
    }
    if (found.tid < ours.tid) return found.status !== STATUS_PACKED;
  }
  return false;
}

/** The newest finished transaction; undefined if there is none. */
export async function newestOf({ source, end }: Ending): Promise<FoundTransaction | undefined> {
  const first = await new BackwardReader(source).from(end).next();
  return first.done ? undefined : first.value;
}
