import { Command, Option } from 'commander';
import type { StorageSettings } from '../config/configuration.js';
import { hooksOf } from '../events/hooks.js';
import { ReadDeadline } from '../pipeline/read-deadline.js';
import { logOfStorage } from '../report/log.js';
import type { SyncResult } from '../round/result.js';
import { runSync, type SyncOptions } from '../round/run-sync.js';
import { blobSettingsOf } from './blob-options.js';
import {
  beginLongWork,
  type LongOptions,
  logOf,
  OF_TWO_SIDES,
  type SlaveOptions,
  statusFileOf,
  withSlaveOptions,
  withTimeout,
} from './common.js';
import { type Ended, forEachStorage, printEnded } from './each-storage.js';
import { type Manual, withManual } from './manual.js';
import { type RoundFlags, withRoundOptions } from './round-options.js';
import {
  type ConfigurationFlags,
  NAMES_NOTE,
  placesOf,
  refuseParts,
  storagesOf,
  timeoutOf,
  withNames,
} from './storages.js';
import { syncsOf } from './syncs-of.js';

interface Flags extends SlaveOptions, LongOptions, RoundFlags, ConfigurationFlags {
  readonly full?: boolean;
  readonly dryRun?: boolean;
  readonly together?: boolean;
  readonly catchUp?: boolean;
}

const MANUAL: Manual = {
  examples: [
    'syncpozo sync /mnt/m1/zeo/var /srv/zeo/var',
    'syncpozo sync /mnt/m1/zeo/var /srv/zeo/var --blobs /mnt/m1/zeo/blobs:/srv/zeo/blobs',
    'syncpozo sync main catalog',
  ],
  notes: [NAMES_NOTE],
  exits: [
    ['0', 'in step; also: nothing to do, switched off, promoted, or another sync is running'],
    ['1', 'a fault outside the data: I/O error, no space, master out of reach, a signal; the next run tries again'],
    ['2', 'usage: wrong options or paths, a mistake in the configuration, or a status file that says neither 0 nor 1'],
    [
      '3',
      'refused: the slave has transactions that the master lacks, the two have forked, or a role forbids it; a person decides',
    ],
    ['4', 'damaged: the master is damaged at a named place, is not a Data.fs, or has lost blobs'],
    ['5', 'refused: another program uses the slave, for example a ZEO server'],
  ],
};

/** `syncpozo sync MASTER SLAVE`: one round, as cron runs it every minute. */
export function syncCommand(): Command {
  const command = new Command('sync')
    .description("copies the master's new transactions to the slave; cron runs it every minute")
    .argument('[MASTER]', "the master's data directory, or its Data.fs; only read, never locked")
    .argument('[SLAVE]', "the slave's data directory, or its Data.fs")
    .option('--full', 'rebuild the slave from the complete master')
    .option('--dry-run', 'report what a sync would do; write nothing')
    .option('--together', 'bring the storages of each group of the configuration to one moment')
    // For `promote`, which starts this.
    .addOption(new Option('--catch-up').hideHelp());
  withRoundOptions(command, 'run');
  withManual(withTimeout(withSlaveOptions(withNames(command), OF_TWO_SIDES)), MANUAL);
  return command.action(async () => {
    const flags = command.opts<Flags>();
    const chosen = storagesOf(command.args, flags, 2);
    if (flags.together) refuseParts(command, chosen);
    const syncOf = chosen && syncsOf(chosen, flags, command);
    const [master = '', slave = ''] = chosen ? [] : placesOf(command);
    const { deadline, progress } = beginLongWork(flags);
    const log = logOf(flags, progress?.above);
    const hooks = hooksOf(chosen?.configuration.hooks, log);
    const whole = (sync: SyncOptions): SyncOptions => ({
      ...sync,
      onEvents: (events) => hooks.emit(events),
      full: flags.full === true,
      dryRun: flags.dryRun === true,
      catchUp: flags.catchUp === true,
      index: flags.index,
      ...(flags.workers !== undefined && { workers: flags.workers }),
      ...(progress && { onProgress: progress.show, onBlobs: progress.showFiles }),
    });
    const ended = (result: SyncResult): Ended => {
      progress?.end();
      return { exitCode: result.exitCode, json: result };
    };
    if (!chosen || !syncOf) {
      const { file, chunkSize: chunkBytes, scrub, keepPacked } = flags;
      const rest = {
        blobs: blobSettingsOf(flags, command),
        file,
        statusFile: statusFileOf(flags),
        chunkBytes,
        scrub,
        keepPacked,
      };
      printEnded(ended(await runSync(whole({ master, slave, ...rest, log, deadline }))), flags);
      return;
    }
    const optionsOf = (storage: StorageSettings): SyncOptions => {
      const own = new ReadDeadline(timeoutOf(storage, flags, command), deadline.signal);
      const { name } = storage;
      return whole({ ...syncOf(storage), storage: name, log: logOfStorage(log, name), deadline: own });
    };
    if (flags.together) {
      const { SyncGroups } = await import('./sync-groups.js');
      const groups = new SyncGroups(chosen.storages, optionsOf, log);
      const each = async (storage: StorageSettings): Promise<Ended> => ended(await groups.resultOf(storage));
      await forEachStorage(chosen.storages, flags, each, deadline.signal, () => ({ together: groups.together }));
    } else {
      const each = async (storage: StorageSettings): Promise<Ended> => ended(await runSync(optionsOf(storage)));
      await forEachStorage(chosen.storages, flags, each, deadline.signal);
    }
    await hooks.settled();
  });
}
