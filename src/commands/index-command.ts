import { Command } from 'commander';
import type { StorageSettings } from '../config/configuration.js';
import { DEFAULT_CHUNK_BYTES } from '../pipeline/chunk-table.js';
import { ReadDeadline } from '../pipeline/read-deadline.js';
import { logOfStorage } from '../report/log.js';
import {
  beginLongWork,
  type LongOptions,
  logOf,
  withCommonOptions,
  withFileName,
  withTimeout,
  withWorkers,
} from './common.js';
import { type Ended, forEachStorage, printEnded } from './each-storage.js';
import type { IndexOptions } from './index.js';
import { type Manual, withManual } from './manual.js';
import {
  type ConfigurationFlags,
  NAMES_NOTE,
  placesOf,
  refuseForSeveral,
  storagesOf,
  timeoutOf,
  withNames,
} from './storages.js';

interface Flags extends LongOptions, ConfigurationFlags {
  readonly file?: string;
}

const MANUAL: Manual = {
  notes: [`Of a storage, the file is that of the slave. ${NAMES_NOTE}`],
  examples: ['syncpozo index /srv/zeo/var', 'syncpozo index main'],
  exits: [
    ['0', 'the index covers all committed transactions, or the file has no record to index'],
    ['1', 'a fault outside the data: I/O error, a signal, or another syncpozo uses the file; try again'],
    ['2', 'usage: wrong options or paths'],
    ['4', 'damaged: the file is damaged at a named place, or is not a Data.fs; no index was written'],
    ['5', 'refused: another program uses the file, for example a ZEO server'],
  ],
};

/** `syncpozo index FILE`: so that FileStorage need not scan the file when a server starts on it. */
export function indexCommand(): Command {
  const command = new Command('index')
    .description(
      'builds or refreshes Data.fs.index; without it, FileStorage scans the complete file when a server starts',
    )
    .argument('[FILE]', 'a Data.fs that no server has open, or the data directory that holds it');
  withWorkers(command, 'threads that read a large file');
  withFileName(command);
  withManual(withTimeout(withCommonOptions(withNames(command))), MANUAL);
  return command.action(async () => {
    const flags = command.opts<Flags>();
    const chosen = storagesOf(command.args, flags, 1);
    if (chosen) refuseForSeveral(command, chosen, 'file');
    const [given = ''] = chosen ? [] : placesOf(command);
    const { runIndex } = await import('./index.js');
    const { deadline, progress } = beginLongWork(flags);
    const log = logOf(flags, progress?.above);
    const run = async (file: Pick<IndexOptions, 'path' | 'file' | 'log' | 'deadline'>): Promise<Ended> => {
      const settings = { workers: flags.workers, chunkBytes: DEFAULT_CHUNK_BYTES, onProgress: progress?.show };
      const result = await runIndex({ ...file, ...settings });
      progress?.end();
      return { exitCode: result.exitCode, json: result };
    };
    if (!chosen) return printEnded(await run({ path: given, file: flags.file, log, deadline }), flags);
    const each = (storage: StorageSettings): Promise<Ended> => {
      const own = new ReadDeadline(timeoutOf(storage, flags, command), deadline.signal);
      const file = flags.file ?? storage.file;
      return run({ path: storage.slave, file, log: logOfStorage(log, storage.name), deadline: own });
    };
    await forEachStorage(chosen.storages, flags, each, deadline.signal);
  });
}
