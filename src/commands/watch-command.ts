import { Command, InvalidArgumentError, Option } from 'commander';
import { parseDuration } from '../report/duration.js';
import { EXIT } from '../round/exit.js';
import type { WatchedStorage } from '../watch/storage-watch.js';
import { Watch } from '../watch/watch.js';
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

interface Flags extends SlaveOptions, CommonOptions, RoundFlags {
  readonly interval: number;
  readonly timeout: number;
  readonly workers?: number;
}

const DEFAULT_INTERVAL = '1s';
const LEAST_INTERVAL_SECONDS = 0.1;
const MOST_INTERVAL_SECONDS = 3600;

const MANUAL: Manual = {
  notes: [
    'A check of both sides that finds nothing new takes no lock and starts no process. A round that has something to write takes the lock and lets it go. Once a minute a round checks the slave again and scrubs, as a sync by cron does; cron may go on beside it.',
    'A mount of the master that hangs is reported, and left alone until it answers; the watch goes on. After failures the pauses become longer, up to 15 seconds. SIGTERM and SIGINT end the watch.',
  ],
  examples: ['syncpozo watch /mnt/m1/zeo/var /srv/zeo/var --interval 1s'],
  exits: [
    ['0', 'ended by a signal'],
    ['1', 'a fault outside the data that keeps the watch from beginning'],
    ['2', 'usage: wrong options or paths'],
  ],
};

/** `syncpozo watch MASTER SLAVE`: rounds without end. */
export function watchCommand(): Command {
  const command = new Command('watch')
    .description('syncs again and again, each second by default: the slave is about a second behind')
    .argument('<MASTER>', "the master's data directory, or its Data.fs; only read, never locked")
    .argument('<SLAVE>', "the slave's data directory, or its Data.fs")
    .addOption(
      new Option('--interval <duration>', 'from one check of the master to the next')
        .argParser(intervalOption)
        .default(intervalOption(DEFAULT_INTERVAL), DEFAULT_INTERVAL),
    );
  withRoundOptions(command, 'minute');
  withManual(withTimeout(withSlaveOptions(command, OF_TWO_SIDES)), MANUAL);
  return command.action(async (master: string, slave: string, flags: Flags) => {
    const stop = new AbortController();
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort());
    const log = logOf(flags);
    const storage: WatchedStorage = {
      name: 'main',
      round: {
        master,
        slave,
        file: flags.file,
        statusFile: statusFileOf(flags),
        index: flags.index,
        blobs: blobSettingsOf(flags, command),
        chunkBytes: flags.chunkSize,
        ...(flags.workers !== undefined && { workers: flags.workers }),
      },
      scrub: flags.scrub,
      timeoutSeconds: flags.timeout,
    };
    const watch = new Watch([storage], flags.interval * 1000, log, stop.signal, (_, result) => {
      if (flags.json) printJson(result);
    });
    log.info({ master, slave, interval: flags.interval }, 'watching');
    await watch.run({ allAnswered() {} });
    log.info({}, 'ended by a signal');
    process.exitCode = EXIT.ok;
  });
}

/** Commander's parser for `--interval`, in seconds. */
function intervalOption(text: string): number {
  const seconds = parseDuration(text);
  if (seconds === undefined || seconds < LEAST_INTERVAL_SECONDS || seconds > MOST_INTERVAL_SECONDS)
    throw new InvalidArgumentError('Expected a duration from 100ms to 1h, such as 1s or 500ms.');
  return seconds;
}
