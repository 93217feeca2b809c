import type { MasterPlace } from './master-place.js';
import type { ReadDeadline } from './read-deadline.js';

/**
 * One storage of a group, as the others see it: all of them are brought to the same moment, or none is. The steps that
 * write call it at the two points where a storage has to wait for the others.
 */
export interface Companion {
  /**
   * Called when the storage has its lock and can read its master at `path`. Resolves, when all storages are as far, to
   * the place up to which this master is to be copied. Rejects if there is no such place, or if a storage dropped out.
   */
  place(path: string, deadline: ReadDeadline): Promise<MasterPlace>;
  /**
   * Called when everything up to `tid` is durable, and nothing of it is visible yet. Resolves to true when all storages
   * are as far, or have nothing to do. false: `tid` is not the agreed place; what was written has to be dropped. Rejects
   * if a storage dropped out.
   */
  ready(tid: bigint): Promise<boolean>;
}
