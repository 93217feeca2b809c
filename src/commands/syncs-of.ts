import type { Command } from 'commander';
import type { StorageSettings } from '../config/configuration.js';
import type { SyncOptions } from '../round/run-sync.js';
import { blobSettingsOf } from './blob-options.js';
import type { SlaveOptions } from './common.js';
import type { RoundFlags } from './round-options.js';
import { type Chosen, isGiven, refuseForSeveral } from './storages.js';

/**
 * The sync of each storage: what the configuration says, or what the command line says otherwise. Ends the program at a mistake
 * on the command line.
 */
export function syncsOf(
  chosen: Chosen,
  flags: SlaveOptions & RoundFlags,
  command: Command,
): (storage: StorageSettings) => SyncOptions & { readonly statusFile: string } {
  refuseForSeveral(command, chosen, 'file', 'blobs');
  const haveBlobs = chosen.storages.some(({ blobs }) => blobs !== undefined);
  const chunkBytes = isGiven(command, 'chunkSize') ? flags.chunkSize : undefined;
  const scrub = isGiven(command, 'scrub') ? flags.scrub : undefined;
  const blobsOf = new Map(
    chosen.storages.map((storage) => [
      storage,
      blobSettingsOf(flags, command, { settings: storage.blobs, ofOthers: haveBlobs }),
    ]),
  );
  return (storage) => {
    const bytes = chunkBytes ?? storage.chunkBytes;
    return {
      master: storage.master,
      slave: storage.slave,
      file: flags.file ?? storage.file,
      statusFile: flags.statusFile ?? storage.statusFile,
      scrub: scrub ?? storage.scrub,
      blobs: blobsOf.get(storage),
      ...(bytes !== undefined && { chunkBytes: bytes }),
    };
  };
}
