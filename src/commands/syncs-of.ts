import type { Command } from 'commander';
import type { StorageSettings } from '../config/configuration.js';
import { isForeseen } from '../round/exit.js';
import type { SyncOptions } from '../round/run-sync.js';
import { masterSideByName, slavePaths } from '../standby/paths.js';
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
  refuseSameSlave(command, chosen);
  const haveBlobs = chosen.storages.some(({ blobs }) => blobs !== undefined);
  const chunkBytes = isGiven(command, 'chunkSize') ? flags.chunkSize : undefined;
  const scrub = isGiven(command, 'scrub') ? flags.scrub : undefined;
  const keepPacked = isGiven(command, 'keepPacked') ? flags.keepPacked : undefined;
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
      keepPacked: keepPacked ?? storage.keepPacked,
      ...(bytes !== undefined && { chunkBytes: bytes }),
    };
  };
}

/** The configuration compares its paths as they are written; here, symbolic links are followed. */
function refuseSameSlave(command: Command, { configuration, storages }: Chosen): void {
  const names = new Map<string, string>();
  for (const { name, master, slave, file } of storages.length > 1 ? storages : []) {
    const path = slaveFileOf(slave, file, master);
    const other = path && names.get(path);
    if (other)
      command.error(`error: ${other} and ${name} have the same slave, ${path}\nhint: correct ${configuration.path}`);
    if (path) names.set(path, name);
  }
}

/** undefined: the sync of that storage reports why there is none. */
function slaveFileOf(slave: string, file: string | undefined, master: string): string | undefined {
  try {
    return slavePaths(slave, file, masterSideByName(master, slave, file)).data;
  } catch (error) {
    if (isForeseen(error)) return undefined;
    throw error;
  }
}
