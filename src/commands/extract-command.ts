import { Command, InvalidArgumentError, Option } from 'commander';
import { parseTid } from '../filestorage/tid.js';
import { visible } from '../report/quote.js';
import { directoriesOption } from './blob-options.js';
import { beginLongWork, type LongOptions, withCommonOptions, withFileName, withTimeout } from './common.js';
import { printEnded } from './each-storage.js';
import type { ExtractOptions, ExtractResult } from './extract.js';
import { type Manual, withManual } from './manual.js';
import { type ConfigurationFlags, storagesOf, timeoutOf, withConfiguration } from './storages.js';

interface Flags extends LongOptions, ConfigurationFlags {
  readonly file?: string;
  readonly from: bigint;
  readonly to?: bigint;
  readonly blobs?: ExtractOptions['blobs'];
}

const MANUAL: Manual = {
  notes: [
    'DEST is a Data.fs of its own, with the tids, users, descriptions and data of these transactions: FileStorage opens it read-only, fsdump and the iterator read it, and DemoStorage(base, changes=DEST) shows it on top of a base that has what is older. It is no backup: what is older than --from is not in it.',
    'The tids need not exist: the first transaction is the oldest that is not older than --from, the last one the newest that is not newer than --to. FILE is only read, and a server may write to it meanwhile.',
    'FILE may be the name of a storage of the configuration file: then it is the file of its slave.',
  ],
  examples: [
    'syncpozo extract /srv/zeo/var /tmp/some.fs --from 03e9b1c800000000',
    'syncpozo extract main /tmp/some.fs --from 03e9b1c800000000 --to 03e9b1d000000000',
  ],
  exits: [
    ['0', 'DEST was made'],
    ['1', 'a fault outside the data: I/O error, no space, a signal; nothing is left of DEST; try again'],
    ['2', 'usage: wrong options or paths, DEST exists, or FILE is not a Data.fs'],
    ['3', 'no transaction of FILE is between these tids; nothing was made'],
    ['4', 'damaged: FILE is damaged among these transactions, and nothing was made; or a blob has no file'],
  ],
};

function tidOption(text: string): bigint {
  const tid = parseTid(text);
  if (tid === undefined) throw new InvalidArgumentError('Expected a tid: 16 hexadecimal digits.');
  return tid;
}

/** `syncpozo extract FILE DEST`: some transactions as a file of their own. */
export function extractCommand(): Command {
  const command = new Command('extract')
    .description('makes a small Data.fs of some transactions of a Data.fs')
    .argument('<FILE>', 'a Data.fs, the data directory that holds it, or the name of a storage')
    .argument('<DEST>', 'the file to make; it must not exist')
    .requiredOption('--from <tid>', 'the first transaction; older ones are left out', tidOption)
    .option('--to <tid>', 'the last transaction; newer ones are left out; default: the newest of FILE', tidOption)
    .addOption(
      new Option(
        '--blobs <dir:dest_dir>',
        'the blob directory of FILE, and one to make: it gets the blobs of these transactions, as hard links where possible',
      ).argParser(directoriesOption),
    );
  withFileName(command);
  withConfiguration(command);
  withManual(withTimeout(withCommonOptions(command)), MANUAL);
  return command.action(async (given: string, dest: string) => {
    const flags = command.opts<Flags>();
    const { from, to, blobs } = flags;
    if (to !== undefined && to < from) command.error("error: '--to' is older than '--from'");
    const storage = storagesOf([given], flags, 1)?.storages[0];
    const { runExtract } = await import('./extract.js');
    const { deadline } = beginLongWork(storage ? { ...flags, timeout: timeoutOf(storage, flags, command) } : flags);
    const name = flags.file ?? storage?.file;
    const result = await runExtract({ file: storage?.slave ?? given, name, dest, from, to, blobs, deadline });
    printEnded({ exitCode: result.exitCode, json: result, ...render(result) }, flags);
  });
}

function render({ reason, hint, exitCode }: ExtractResult): { readonly out: string; readonly err: string } {
  const advice = hint === null ? '' : `hint: ${visible(hint)}\n`;
  if (exitCode === 0) return { out: `${visible(reason)}\n`, err: advice };
  return { out: '', err: `syncpozo: ${visible(reason)}\n${advice}` };
}
