import { Command, InvalidArgumentError, Option } from 'commander';
import { DEFAULTS, isInterval } from '../config/defaults.js';
import { type ListenAddress, parseListen } from '../config/listen.js';
import { IoFault } from '../io/fault.js';
import { parseDuration } from '../report/duration.js';
import type { Log } from '../report/log.js';
import { EXIT } from '../round/exit.js';
import type { WatchedStorage } from '../watch/watched-storage.js';
import { blobSettingsOf } from './blob-options.js';
import {
  type CommonOptions,
  logOf,
  OF_TWO_SIDES,
  printJson,
  type SlaveOptions,
  statusFileOf,
  withSlaveOptions,
  withTimeout,
} from './common.js';
import { type Manual, withManual } from './manual.js';
import { type RoundFlags, withRoundOptions } from './round-options.js';
import {
  type Chosen,
  type ConfigurationFlags,
  isGiven,
  NAMES_NOTE,
  placesOf,
  refuseParts,
  storagesOf,
  timeoutOf,
  withNames,
} from './storages.js';
import { syncsOf } from './syncs-of.js';
import { runWatch } from './watch.js';

interface Flags extends SlaveOptions, CommonOptions, RoundFlags, ConfigurationFlags {
  readonly interval: number;
  /** false: --no-listen. */
  readonly listen?: ListenAddress | false;
  readonly textfile?: string;
  readonly together?: boolean;
  readonly timeout: number;
  readonly workers?: number;
}

const DEFAULT_INTERVAL = `${DEFAULTS.intervalSeconds}s`;

const MANUAL: Manual = {
  notes: [
    'A check of both sides that finds nothing new takes no lock and starts no process. A round that has something to write takes the lock and lets it go. Once a minute a round checks the slave again and scrubs, as a sync by cron does; cron may go on beside it.',
    'A mount of the master that hangs is reported, and left alone until it answers; the watch goes on. After failures the pauses become longer, up to 15 seconds. SIGTERM and SIGINT end the watch.',
    NAMES_NOTE,
  ],
  examples: ['syncpozo watch', 'syncpozo watch /mnt/m1/zeo/var /srv/zeo/var --interval 1s'],
  exits: [
    ['0', 'ended by a signal'],
    ['1', 'a fault outside the data that keeps the watch from beginning'],
    ['2', 'usage: wrong options or paths, or a mistake in the configuration'],
  ],
};

/** `syncpozo watch [NAME...]` or `watch MASTER SLAVE`: rounds without end. */
export function watchCommand(): Command {
  const command = new Command('watch')
    .description('syncs again and again, each second by default: the slave is about a second behind')
    .argument('[MASTER]', "the master's data directory, or its Data.fs; only read, never locked")
    .argument('[SLAVE]', "the slave's data directory, or its Data.fs")
    .addOption(
      new Option('--interval <duration>', 'from one check of the master to the next')
        .argParser(intervalOption)
        .default(DEFAULTS.intervalSeconds, DEFAULT_INTERVAL),
    )
    .addOption(
      new Option(
        '--listen <address>',
        'serve figures, health checks and the status page there, for example on 127.0.0.1:9177',
      ).argParser(listenOption),
    )
    .option('--no-listen', 'serve nothing, even if the configuration says where')
    .option('--together', 'bring the storages of each group of the configuration to one moment in each round')
    .option('--textfile <path>', "write the figures into this file, for node_exporter's textfile collector");
  withRoundOptions(command, 'minute');
  withManual(withTimeout(withSlaveOptions(withNames(command), OF_TWO_SIDES)), MANUAL);
  return command.action(async () => {
    const flags = command.opts<Flags>();
    const chosen = storagesOf(command.args, flags, 2);
    if (flags.together) refuseParts(command, chosen);
    const storages = chosen ? configured(chosen, flags, command) : [positional(flags, command)];
    const settings = chosen?.configuration.watch;
    const seconds = isGiven(command, 'interval') ? flags.interval : (settings?.intervalSeconds ?? flags.interval);
    const log = logOf(flags);
    const print = printerOf(log);
    const listen = isGiven(command, 'listen') ? flags.listen : settings?.listen;
    await runWatch({
      storages,
      intervalSeconds: seconds,
      listen: listen || undefined,
      textfile: flags.textfile ?? settings?.textfile,
      heartbeat: settings?.heartbeat,
      hooks: chosen?.configuration.hooks,
      log,
      version: command.parent?.version() ?? '',
      onResult: (storage, result) => {
        if (flags.json) print(chosen ? { storage, ...result } : result);
      },
    });
    process.exitCode = EXIT.ok;
  });
}

/** Prints each result. A full disk behind standard output is logged once, and ends no watch. */
function printerOf(log: Log): (result: object) => void {
  let failing = false;
  return (result) => {
    try {
      printJson(result);
      failing = false;
    } catch (error) {
      if (!(error instanceof IoFault)) throw error;
      if (!failing) log.error({ hint: 'the rounds go on; their results are not printed' }, error.message);
      failing = true;
    }
  };
}

function positional(flags: Flags, command: Command): WatchedStorage {
  const [master = '', slave = ''] = placesOf(command);
  const { file, index, chunkSize: chunkBytes, keepPacked, scrub, timeout: timeoutSeconds } = flags;
  const rest = { blobs: blobSettingsOf(flags, command), statusFile: statusFileOf(flags), ...workersOf(flags) };
  return {
    name: 'main',
    round: { master, slave, file, index, chunkBytes, keepPacked, ...rest },
    scrub,
    timeoutSeconds,
  };
}

function configured(chosen: Chosen, flags: Flags, command: Command): WatchedStorage[] {
  const syncOf = syncsOf(chosen, flags, command);
  return chosen.storages.map((storage) => {
    const { scrub = 0, ...round } = syncOf(storage);
    const timeoutSeconds = timeoutOf(storage, flags, command);
    return {
      name: storage.name,
      group: flags.together ? storage.group : undefined,
      round: { ...round, index: flags.index, ...workersOf(flags) },
      scrub,
      timeoutSeconds,
    };
  });
}

function workersOf({ workers }: Flags): { readonly workers?: number } {
  return workers === undefined ? {} : { workers };
}

/** Commander's parser for `--listen`. */
function listenOption(text: string): ListenAddress {
  const address = parseListen(text);
  if (!address) throw new InvalidArgumentError('Expected HOST:PORT, such as 127.0.0.1:9177 or [::1]:9177.');
  return address;
}

/** Commander's parser for `--interval`, in seconds. */
function intervalOption(text: string): number {
  const seconds = parseDuration(text);
  if (!isInterval(seconds))
    throw new InvalidArgumentError('Expected a duration from 100ms to 1h, such as 1s or 500ms.');
  return seconds;
}
