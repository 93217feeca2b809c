import { type Command, InvalidArgumentError, Option } from 'commander';
import type { BlobSettings } from '../blobs/settings.js';

/** The options of a sync that are about blobs. */
export interface BlobFlags {
  /** false: --no-blobs. */
  readonly blobs?: BlobDirectories | false;
  readonly blobsBy: BlobSettings['by'];
  readonly blobsAs: BlobSettings['way'];
  readonly keepBlobs?: boolean;
}

interface BlobDirectories {
  readonly master: string;
  readonly slave: string;
}

export function withBlobOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--blobs <master:slave>',
        "the two blob directories, as MASTER_DIR:SLAVE_DIR; copies each transaction's blobs before the transaction",
      ).argParser(directoriesOption),
    )
    .option('--no-blobs', 'copy no blobs, even of a slave that has them, and do not warn about it')
    .addOption(
      new Option('--blobs-by <means>', 'how blobs are found; tree compares the directories, for encrypted records')
        .choices(['records', 'tree'])
        .default('records'),
    )
    .addOption(
      new Option('--blobs-as <form>', 'reflink or link share the bytes of both directories on one file system')
        .choices(['copy', 'reflink', 'link'])
        .default('copy'),
    )
    .option('--keep-blobs', 'move blobs that the master has packed away to SLAVE_DIR.old; by default they are removed');
}

const NAMES: Readonly<Record<string, string>> = {
  blobsBy: '--blobs-by',
  blobsAs: '--blobs-as',
  keepBlobs: '--keep-blobs',
};

/** Commander's parser for `--blobs`. */
export function directoriesOption(text: string): BlobDirectories {
  const parts = text.split(':');
  // A path may have a colon in it; where the second one is absolute, that shows where it begins.
  const at = parts.length === 2 ? text.indexOf(':') : text.indexOf(':/');
  const isClear = at > 0 && (parts.length === 2 || text.indexOf(':/', at + 1) < 0);
  const [master, slave] = [text.slice(0, at), text.slice(at + 1)];
  if (!isClear || slave === '') throw new InvalidArgumentError('Expected two directories, as MASTER_DIR:SLAVE_DIR.');
  return { master, slave };
}

/** What the configuration says of the blobs of a storage. `ofOthers`: whether other storages have any. */
interface Configured {
  readonly settings: BlobSettings | undefined;
  readonly ofOthers: boolean;
}

/** Ends the program where an option is of no use: it was meant to change something. */
export function blobSettingsOf(
  flags: BlobFlags,
  command: Command,
  { settings, ofOthers }: Configured = { settings: undefined, ofOthers: false },
): BlobSettings | 'given-up' | undefined {
  const { blobs = settings, blobsBy, blobsAs, keepBlobs } = flags;
  const isGiven = (name: string): boolean => command.getOptionValueSource(name) === 'cli';
  if (blobs === undefined || blobs === false) {
    const useless = ['blobsBy', 'blobsAs', 'keepBlobs'].find(isGiven);
    if (useless !== undefined && !(ofOthers && blobs === undefined))
      command.error(`error: option '${NAMES[useless]}' is of no use without '--blobs'`);
    return blobs === false ? 'given-up' : undefined;
  }
  return {
    master: blobs.master,
    slave: blobs.slave,
    by: settings && !isGiven('blobsBy') ? settings.by : blobsBy,
    way: settings && !isGiven('blobsAs') ? settings.way : blobsAs,
    keepPacked: keepBlobs ?? settings?.keepPacked ?? false,
  };
}
