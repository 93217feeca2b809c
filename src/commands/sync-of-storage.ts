import type { StorageSettings } from '../config/configuration.js';
import type { SyncOptions } from '../round/run-sync.js';

/** What the configuration says of the sync of a storage. */
export function syncOf(storage: StorageSettings): SyncOptions {
  const { master, slave, file, statusFile, blobs, scrub, chunkBytes } = storage;
  return { master, slave, file, statusFile, blobs, scrub, ...(chunkBytes !== undefined && { chunkBytes }) };
}
