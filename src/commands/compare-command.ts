import { Command } from 'commander';
import type { StorageSettings } from '../config/configuration.js';
import { ReadDeadline } from '../pipeline/read-deadline.js';
import {
  beginLongWork,
  countOption,
  type LongOptions,
  OF_TWO_SIDES,
  withCommonOptions,
  withFileName,
  withTimeout,
} from './common.js';
import type { CompareOptions } from './compare.js';
import { type Ended, forEachStorage, printEnded } from './each-storage.js';
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
  readonly n?: number;
}

const LISTED = 100;
const LISTED_IN_JSON = 1000;
const MOST_LISTED = 999_999_999;

const MANUAL: Manual = {
  notes: [
    "A is the master's side and B is the slave's, in the order of sync; any two Data.fs are possible. The command reads both files and changes nothing. It takes no lock: a sync or a ZEO server may run at the same time. It lists the transactions of each side after the fork, the oldest first.",
    NAMES_NOTE,
  ],
  examples: ['syncpozo compare /mnt/m1/zeo/var /srv/zeo/var', 'syncpozo compare main'],
  exits: [
    ['0', 'equal, or B is a beginning of A, or A is a pack of a file that begins with B'],
    [
      '1',
      'a fault outside the data: I/O error, a mount that hangs, a file that is replaced meanwhile, a signal; try again',
    ],
    ['2', 'usage: wrong options or paths, or a file is not a Data.fs'],
    ['3', 'B has transactions that A lacks, the two have forked, or they have nothing in common; a person decides'],
    ['4', 'damaged: A breaks a rule of the format, or the same transaction has different bytes on the two sides'],
  ],
};

/** `syncpozo compare A B`: what A is to B, and both histories from the fork. */
export function compareCommand(): Command {
  const command = new Command('compare')
    .description('shows what two data files have in common, and the transactions of both after the fork')
    .argument('[A]', "the master's data directory, or its Data.fs")
    .argument('[B]', "the slave's data directory, or its Data.fs")
    .option(
      '-n <count>',
      `number of transactions of each side to list; default: ${LISTED}, with --json ${LISTED_IN_JSON}`,
      countOption(MOST_LISTED),
    );
  withFileName(command, OF_TWO_SIDES);
  withManual(withTimeout(withCommonOptions(withNames(command))), MANUAL);
  return command.action(async () => {
    const flags = command.opts<Flags>();
    const chosen = storagesOf(command.args, flags, 2);
    if (chosen) refuseForSeveral(command, chosen, 'file');
    const [a = '', b = ''] = chosen ? [] : placesOf(command);
    const { runCompare } = await import('./compare.js');
    const { deadline, progress } = beginLongWork(flags);
    const most = flags.n ?? (flags.json ? LISTED_IN_JSON : LISTED);
    const run = async (sides: Omit<CompareOptions, 'most'>): Promise<Ended> => {
      try {
        const result = await runCompare({ ...sides, most });
        const isShown = !flags.json && !flags.quiet;
        const out = isShown ? (await import('./compare-text.js')).renderCompare(result) : '';
        return { exitCode: result.exitCode, json: result, out };
      } finally {
        progress?.end();
      }
    };
    if (!chosen) return printEnded(await run({ a, b, file: flags.file, deadline }), flags);
    const each = (storage: StorageSettings): Promise<Ended> => {
      const own = new ReadDeadline(timeoutOf(storage, flags, command), deadline.signal);
      return run({ a: storage.master, b: storage.slave, file: flags.file ?? storage.file, deadline: own });
    };
    await forEachStorage(chosen.storages, flags, each, deadline.signal);
  });
}
