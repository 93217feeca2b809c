import { Command } from 'commander';
import type { BlobSettings } from '../blobs/settings.js';
import { type Hooks, hooksOf } from '../events/hooks.js';
import { asksYes, stdinIsTerminal } from '../io/ask.js';
import { writeToStdout } from '../io/sink.js';
import { ReadDeadline } from '../pipeline/read-deadline.js';
import type { RejoinOptions } from '../rejoin/options.js';
import { type Log, logOfStorage } from '../report/log.js';
import { type BlobFlags, blobSettingsOf, withBlobOptions } from './blob-options.js';
import {
  beginLongWork,
  type LongOptions,
  type LongWork,
  logOf,
  OF_TWO_SIDES,
  type SlaveOptions,
  statusFileOf,
  withSlaveOptions,
  withTimeout,
  withWorkers,
} from './common.js';
import { type Ended, forEachStorage, printEnded } from './each-storage.js';
import { type Manual, withManual } from './manual.js';
import { renderRejoin } from './rejoin-text.js';
import {
  type ConfigurationFlags,
  NAMES_NOTE,
  placesOf,
  refuseForSeveral,
  storagesOf,
  timeoutOf,
  withNames,
} from './storages.js';

interface Flags extends SlaveOptions, LongOptions, BlobFlags, ConfigurationFlags {
  readonly yes?: boolean;
  readonly dryRun?: boolean;
  readonly full?: boolean;
  readonly keepSwitch?: boolean;
  readonly skipHooks?: boolean;
}

const MANUAL: Manual = {
  notes: [
    'MASTER is the side that serves now, and SLAVE is the directory of the old master, in which the command runs: stop the ZEO server there first. MASTER goes on serving, and is only read.',
    'The steps: find the place where the histories fork, and prove that both are the same up to there; keep what only SLAVE has, as lost-TID-TID.fs beside it; cut SLAVE back to the fork; copy what MASTER has committed since; make a slave of SLAVE, and set the switch on. Each step is explained before it is done.',
    'Killed at any moment, the command goes on where it was when it is run again. In between SLAVE is neither synced nor promoted.',
    'All of MASTER is copied only with --full: where one of the two sides was packed since the fork, or where they have too little in common.',
    `Of storages, the masters are those of the configuration. ${NAMES_NOTE}`,
  ],
  examples: [
    'syncpozo rejoin /mnt/b/zeo/var /srv/zeo/var --dry-run',
    'syncpozo rejoin /mnt/b/zeo/var /srv/zeo/var --blobs /mnt/b/zeo/blobs:/srv/zeo/blobs',
    'syncpozo rejoin main --yes',
  ],
  exits: [
    ['0', 'SLAVE is a slave, and in step'],
    ['1', 'a fault: I/O error, no space, MASTER out of reach, a signal; run it again, and it goes on'],
    ['2', 'usage: wrong options or paths, --yes missing where nobody can be asked, or a mistake in the configuration'],
    [
      '3',
      'refused, a person decides: one side was packed, the two are unrelated, MASTER does not serve, or the hook before-rejoin forbids it',
    ],
    ['4', 'damaged: one of the two files is damaged, or MASTER has lost blobs'],
    ['5', 'refused: another program uses SLAVE, for example a ZEO server'],
  ],
};

/** `syncpozo rejoin MASTER SLAVE`: makes an old master the slave of the side that serves now. */
export function rejoinCommand(): Command {
  const command = new Command('rejoin')
    .description('makes an old master a slave of the side that serves now; keeps what only the old master has')
    .argument('[MASTER]', 'the data directory of the side that serves now, or its Data.fs; only read, never locked')
    .argument('[SLAVE]', "the old master's data directory, or its Data.fs")
    .option('--yes', 'do not ask; needed where standard input is no terminal')
    .option('--dry-run', 'explain what a rejoin would do, and what it would cost; write nothing')
    .option('--full', 'copy all of MASTER, where SLAVE cannot be rewound')
    .option('--keep-switch', 'leave the switch as it is; by default it is set on at the end')
    .option('--skip-hooks', 'do not ask the hook before-rejoin, which may forbid the rejoin');
  withBlobOptions(withWorkers(command, 'threads that check new data, if there is much of it'));
  withManual(withTimeout(withSlaveOptions(withNames(command), OF_TWO_SIDES)), MANUAL);
  return command.action(async () => {
    const flags = command.opts<Flags>();
    if (!flags.yes && !flags.dryRun && !stdinIsTerminal())
      command.error(
        'error: standard input is no terminal, so nobody can be asked\nhint: give --yes, or try --dry-run first',
      );
    const chosen = storagesOf(command.args, flags, 2);
    if (chosen) refuseForSeveral(command, chosen, 'file', 'blobs');
    const work = beginLongWork(flags);
    const log = logOf({
      ...flags,
      logLevel: command.getOptionValueSource('logLevel') === 'cli' ? flags.logLevel : 'warn',
    });
    const hooks = hooksOf(chosen?.configuration.hooks, log);
    const context = { flags, work, hooks };
    if (!chosen) {
      const [master = '', slave = ''] = placesOf(command);
      const blobs = blobSettingsOf(flags, command);
      const sides = { master, slave, file: flags.file, statusFile: statusFileOf(flags), blobs };
      printEnded(await rejoined({ ...sides, deadline: work.deadline, log, storage: undefined }, context), flags);
    } else {
      const ofOthers = chosen.storages.some(({ blobs }) => blobs !== undefined);
      await forEachStorage(
        chosen.storages,
        flags,
        (storage) =>
          rejoined(
            {
              master: storage.master,
              slave: storage.slave,
              file: flags.file ?? storage.file,
              statusFile: flags.statusFile ?? storage.statusFile,
              blobs: blobSettingsOf(flags, command, { settings: storage.blobs, ofOthers }),
              chunkBytes: storage.chunkBytes,
              deadline: new ReadDeadline(timeoutOf(storage, flags, command), work.deadline.signal),
              log: logOfStorage(log, storage.name),
              storage: storage.name,
            },
            context,
          ),
        work.deadline.signal,
      );
    }
    await hooks.settled();
  });
}

interface Sides extends Pick<RejoinOptions, 'master' | 'slave' | 'file' | 'statusFile' | 'deadline' | 'storage'> {
  readonly blobs: BlobSettings | 'given-up' | undefined;
  readonly chunkBytes?: number | undefined;
  readonly log: Log;
}

interface Context {
  readonly flags: Flags;
  readonly work: LongWork;
  readonly hooks: Hooks;
}

async function rejoined(sides: Sides, { flags, work, hooks }: Context): Promise<Ended> {
  const { blobs, chunkBytes, ...rest } = sides;
  const { progress } = work;
  const isShown = !flags.json && !flags.quiet;
  const { runRejoin } = await import('../rejoin/rejoin.js');
  const result = await runRejoin({
    ...rest,
    full: flags.full === true,
    dryRun: flags.dryRun === true,
    keepSwitch: flags.keepSwitch === true,
    sync: {
      blobs,
      ...(chunkBytes !== undefined && { chunkBytes }),
      ...(flags.workers !== undefined && { workers: flags.workers }),
      ...(progress && { onProgress: progress.show, onBlobs: progress.showFiles }),
    },
    say: (text) => {
      if (isShown) writeToStdout(`${text}\n`);
    },
    confirm: () => flags.yes === true || asksYes('go on?'),
    before: async ({ data }, facts) =>
      flags.skipHooks ? undefined : hooks.before('before-rejoin', { storage: rest.storage, slave: data }, facts),
    onEvents: (events) => hooks.emit(events),
  });
  progress?.end();
  const text = renderRejoin(result);
  if (result.exitCode !== 0) return { exitCode: result.exitCode, json: result, err: text };
  return { exitCode: 0, json: result, out: flags.quiet ? '' : text };
}
