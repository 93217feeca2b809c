import { Command, InvalidArgumentError } from 'commander';
import type { StorageSettings } from '../config/configuration.js';
import { BackwardReader, type FoundTransaction } from '../filestorage/backward.js';
import { MAGIC_LENGTH, magicOf } from '../filestorage/layout.js';
import { parseTid } from '../filestorage/tid.js';
import { factsBehindPath } from '../io/facts.js';
import { OpenFile } from '../io/open-file.js';
import { type Readable, readableEnd, readableFile } from '../pipeline/scan.js';
import { Window } from '../pipeline/window.js';
import { formatCount } from '../report/numbers.js';
import { quote } from '../report/quote.js';
import { formatBytes } from '../report/size.js';
import { EXIT } from '../round/exit.js';
import { masterPath, PathMistake } from '../standby/paths.js';
import { type CommonOptions, countOption, withCommonOptions, withFileName } from './common.js';
import { type Ended, forEachStorage, printEnded } from './each-storage.js';
import { type Manual, withManual } from './manual.js';
import { type ConfigurationFlags, NAMES_NOTE, placesOf, refuseForSeveral, storagesOf, withNames } from './storages.js';
import { describe } from './transactions.js';

interface Flags extends CommonOptions, ConfigurationFlags {
  readonly file?: string;
  readonly n: number;
  readonly from?: bigint;
  readonly to?: bigint;
}

/** One transaction as `syncpozo log` shows it. */
interface Entry {
  readonly tid: string;
  readonly time: string | null;
  readonly position: number;
  /** Bytes in the file, with header and trailer. */
  readonly size: number;
  readonly status: string;
  readonly user: string;
  readonly description: string;
  readonly objects: number;
}

const SHOWN = 10;
const MOST_SHOWN = 999_999_999;
const WINDOW_BYTES = 1 << 20;

function tidOption(text: string): bigint {
  const tid = parseTid(text);
  if (tid === undefined) throw new InvalidArgumentError('Expected a tid: 16 hexadecimal digits.');
  return tid;
}

const MANUAL: Manual = {
  notes: [`Of a storage, the file is that of the slave. ${NAMES_NOTE}`],
  examples: ['syncpozo log /srv/zeo/var -n 3', 'syncpozo log main -n 3'],
  exits: [
    ['0', 'the transactions were shown'],
    ['1', 'a fault outside the data: I/O error'],
    ['2', 'usage: wrong options or paths, or the file is not a Data.fs'],
  ],
};

/** `syncpozo log FILE`: the transactions of a Data.fs, newest first. */
export function logCommand(): Command {
  const command = new Command('log')
    .description('shows the transactions of a Data.fs, newest first: tid, time, size, objects, user, description')
    .argument('[FILE]', 'a Data.fs, or the data directory that holds it')
    .option('-n <count>', 'number of transactions', countOption(MOST_SHOWN), SHOWN)
    .option('--from <tid>', 'show no transaction that is older than this one', tidOption)
    .option('--to <tid>', 'show no transaction that is newer than this one', tidOption);
  withFileName(command);
  withManual(withCommonOptions(withNames(command)), MANUAL);
  return command.action(async () => {
    const flags = command.opts<Flags>();
    const chosen = storagesOf(command.args, flags, 1);
    if (chosen) refuseForSeveral(command, chosen, 'file');
    if (!chosen) {
      const [given = ''] = placesOf(command);
      return printEnded(await listed(given, flags.file, flags), flags);
    }
    const each = ({ slave, file }: StorageSettings): Promise<Ended> => listed(slave, flags.file ?? file, flags);
    await forEachStorage(chosen.storages, flags, each);
  });
}

async function listed(given: string, file: string | undefined, flags: Flags): Promise<Ended> {
  const path = await masterPath(given, file);
  const kind = (await factsBehindPath(path))?.kind;
  if (kind !== 'file') {
    const what = kind === undefined ? 'does not exist' : `is a ${kind}, not a Data.fs`;
    throw new PathMistake(`${path} ${what}`, 'name a Data.fs, or the directory that holds one');
  }
  const opened = await OpenFile.openToRead(path);
  try {
    const transactions = await listTransactions(readableFile(opened), flags);
    const out = transactions.map((entry) => `${render(entry)}\n`).join('');
    return { exitCode: EXIT.ok, json: { path, transactions }, out };
  } finally {
    opened.close();
  }
}

async function listTransactions(file: Readable, flags: Flags): Promise<Entry[]> {
  const magic = new Uint8Array(MAGIC_LENGTH);
  if ((await file.readBytes(magic, 0)) < MAGIC_LENGTH || magicOf(magic) === undefined) {
    throw new PathMistake(
      `${file.path} is not a Data.fs: it does not begin with FS21 or FS30`,
      'name a Data.fs of ZODB',
    );
  }
  const entries: Entry[] = [];
  const end = await readableEnd(file, new Window(WINDOW_BYTES));
  for await (const found of new BackwardReader(file).from(end)) {
    if (entries.length >= flags.n || (flags.from !== undefined && found.tid < flags.from)) break;
    if (flags.to === undefined || found.tid <= flags.to) entries.push(await entryOf(file, found));
  }
  return entries;
}

async function entryOf(file: Readable, found: FoundTransaction): Promise<Entry> {
  const { tid, time, position, bytes, user, description, objects } = await describe(file, found);
  const status = String.fromCharCode(found.status);
  return { tid, time, position, size: bytes, status, user, description, objects };
}

/** One line; control characters in what users wrote are shown, not obeyed. */
function render(entry: Entry): string {
  const words = [entry.user, entry.description].map(quote).join(' ');
  return `${entry.tid}  ${entry.time ?? '-'}  ${formatBytes(entry.size)}  ${formatCount(entry.objects, 'object')}  ${words}`;
}
