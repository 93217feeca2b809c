import { type Command, InvalidArgumentError, Option } from 'commander';
import { DEFAULTS, MOST_KEPT_PACKED } from '../config/defaults.js';
import { DEFAULT_CHUNK_BYTES } from '../pipeline/chunk-table.js';
import { parseBytes } from '../report/size.js';
import type { ScrubAmount } from '../scrub/round.js';
import { type BlobFlags, withBlobOptions } from './blob-options.js';
import { countOption, sizeOption, withWorkers } from './common.js';

/** The options of a round, which `sync` and `watch` share. */
export interface RoundFlags extends BlobFlags {
  readonly chunkSize: number;
  readonly scrub: ScrubAmount;
  readonly index: boolean;
  readonly keepPacked: number;
}

const DEFAULT_CHUNK_SIZE = `${DEFAULT_CHUNK_BYTES >> 20}MiB`;
const DEFAULT_SCRUB = `${DEFAULTS.scrub >> 20}MiB`;

/** What reads old data again, and how often. */
const SCRUBBED = {
  run: 'amount of old data that this run reads again and repairs; 0: nothing, full: all',
  minute: 'amount of old data that is read again and repaired each minute; 0: nothing, full: all',
} as const;

export function withRoundOptions(command: Command, scrubbed: keyof typeof SCRUBBED): Command {
  command
    .addOption(
      new Option('--chunk-size <size>', 'approximate size of one piece, which is read, checked and hashed at once')
        .argParser(sizeOption)
        .default(DEFAULT_CHUNK_BYTES, DEFAULT_CHUNK_SIZE),
    )
    .addOption(
      new Option('--scrub <size>', SCRUBBED[scrubbed]).argParser(scrubOption).default(DEFAULTS.scrub, DEFAULT_SCRUB),
    );
  withWorkers(command, 'threads that check new data, if there is much of it');
  withBlobOptions(command);
  command.option(
    '--keep-packed <n>',
    'keep the last N files that rebuilds after a pack replace, for restore, as Data.fs.packed-TID',
    countOption(MOST_KEPT_PACKED),
    DEFAULTS.keepPacked,
  );
  return command.option('--no-index', 'write no Data.fs.index beside the slave');
}

/** Commander's parser for `--scrub`. */
function scrubOption(text: string): ScrubAmount {
  if (text === 'full') return text;
  const bytes = parseBytes(text);
  if (bytes === undefined)
    throw new InvalidArgumentError('Expected 0, full, or a size such as 16MiB (B, KiB, MiB, GiB).');
  return bytes;
}
