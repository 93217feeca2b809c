import type { AdaptiveSource } from '../pipeline/adaptive-source.js';
import type { ReadDeadline } from '../pipeline/read-deadline.js';
import { Broken, type CopiedState, StateCopy } from './copy-state.js';
import type { Moment } from './moment.js';
import { StateBlobs, type StateBlobsCount, type StateBlobsRequest } from './state-blobs.js';
import type { Place } from './state-file.js';
import { findSource, type Packed, type StateSource } from './state-source.js';

export interface RestoreRequest {
  readonly path: string;
  readonly dest: string;
  readonly moment: Moment;
  readonly dryRun: boolean;
  readonly blobs: Omit<StateBlobsRequest, 'deadline' | 'onFiles'> | undefined;
  readonly onFiles: StateBlobsRequest['onFiles'];
  readonly source: AdaptiveSource;
  readonly deadline: ReadDeadline;
}

/** How a restore ended. */
export type Restored =
  | Exclude<StateSource, { readonly kind: 'found' }>
  | {
      readonly kind: 'planned' | 'done';
      /** The file that has the state. */
      readonly path: string;
      readonly place: Place;
      readonly packed: Packed | undefined;
      readonly copied: CopiedState | undefined;
      readonly blobs: StateBlobsCount | undefined;
    };

/**
 * Writes the state of a moment as a new file: the whole transactions up to and including the last one that is not newer.
 * The file that is read is never written. Order: the new file and its index; the new blob directory; then its name, last.
 */
export async function restore(request: RestoreRequest): Promise<Restored> {
  try {
    return await restoreOnce(request, false);
  } catch (error) {
    if (!(error instanceof Broken)) throw error;
    // What was found with few reads is no place between two transactions: all of the file is read for the right one.
    return restoreOnce(request, true);
  }
}

async function restoreOnce(request: RestoreRequest, proved: boolean): Promise<Restored> {
  const { path, dest, moment, dryRun, source, deadline, onFiles } = request;
  const found = await findSource(path, moment, source.window, deadline, proved);
  if (found.kind !== 'found') return found;
  const { file, packed, place } = found;
  try {
    const blobs = request.blobs && (await StateBlobs.open({ ...request.blobs, deadline, onFiles }));
    const done = { path: file.path, packed, place };
    if (dryRun) return { ...done, kind: 'planned', copied: undefined, blobs: undefined };
    const { magic, chunks } = file;
    const end = place.position;
    const master = file.master.upTo(end);
    const copy = new StateCopy({ master, magic, end, chunks, dest, source, deadline });
    try {
      await copy.fill();
      if (blobs) {
        const { needed, encrypted } = copy.copied;
        await blobs.fill(encrypted > 0 ? await blobs.idsUpTo(place.last?.tid ?? 0n) : needed.ids);
      }
      copy.publish();
    } catch (error) {
      copy.discard();
      await blobs?.discard();
      if (error instanceof Broken && error.damage) return { kind: 'damaged', path: file.path, damage: error.damage };
      throw error;
    }
    return { ...done, kind: 'done', copied: copy.copied, blobs: blobs?.count };
  } finally {
    file.close();
  }
}
