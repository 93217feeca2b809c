import { Command, Option } from 'commander';
import type { BlobSettings } from '../blobs/settings.js';
import { hooksOf } from '../events/hooks.js';
import { startShell } from '../io/child.js';
import { SILENT } from '../report/log.js';
import { linesOfSwitch, renderPromotion } from '../report/promotion.js';
import { masterSideByName, PathMistake } from '../standby/paths.js';
import { type BlobFlags, blobSettingsOf, withBlobOptions } from './blob-options.js';
import { CatchUp } from './catch-up.js';
import {
  durationOption,
  logOf,
  OF_TWO_SIDES,
  type SlaveOptions,
  secondsOption,
  statusFileOf,
  timeOption,
  withSlaveOptions,
} from './common.js';
import { type Ended, forEachStorage, printEnded } from './each-storage.js';
import { askForMaster, askForTerm, isElsewhere } from './loss.js';
import { type Manual, withManual } from './manual.js';
import type { PromoteOptions } from './promote.js';
import { type PromoteReporting, promoteWithEvents } from './promote-events.js';
import {
  type Chosen,
  type ConfigurationFlags,
  NAMES_NOTE,
  placesOf,
  refuseForSeveral,
  storagesOf,
  withNames,
} from './storages.js';

interface Flags extends SlaveOptions, BlobFlags, ConfigurationFlags {
  readonly master?: string;
  readonly grace: number;
  readonly catchUp: number;
  readonly patience: number;
  readonly maxAge?: number;
  readonly force?: boolean;
  readonly supersede?: boolean;
  readonly masterServes?: boolean;
  readonly verify?: boolean;
  readonly onLoss?: string;
  readonly skipHooks?: boolean;
}

/** A sync that is asked to end does so within a second; to kill it does no harm. */
const GRACE_SECONDS = 1;
/** A takeover waits for nobody. */
const DEADLINE_SECONDS = 0.9;
/** For a process that reads the role of the master, on a busy machine. */
const ANSWER_SECONDS = 20;
/** A takeover of a master that answers waits for what would be lost without it. */
const CATCH_UP_SECONDS = 10;

const MANUAL: Manual = {
  notes: [
    'The command never waits for the mount of a dead master. It takes MASTER for a file if its name ends with .fs, or if SLAVE holds a file of that name, and for a directory otherwise.',
    'A master that answers is caught up with first, so that a planned switchover loses nothing: stop its ZEO server, then promote. Only what can be appended is copied. A slave whose blobs are synced needs --blobs for it, or a configuration. Where it fails, the slave is promoted as it is, and the reason is reported.',
    '--on-loss starts its command when transactions may have been lost, which is so unless the master answers and the slave has all its transactions. syncpozo does not wait for the command and does not keep its output. Of a slave that was promoted before, nothing is started.',
    `Of storages, the masters are those of the configuration. ${NAMES_NOTE}`,
  ],
  examples: ['syncpozo promote /srv/zeo/var --on-loss /usr/local/sbin/restart-zeo-clients', 'syncpozo promote'],
  exits: [
    ['0', 'promoted, now or before (also with a warning that the switch could not be written); start ZEO'],
    ['1', 'not promoted: an I/O error, or a sync that cannot be ended'],
    ['2', 'not promoted: usage, wrong options or paths'],
    [
      '3',
      'not promoted: the slave has nothing to serve or is older than --max-age, its role forbids it or cannot be read, or the hook before-promote does',
    ],
    ['4', 'promoted, but the slave is damaged at a named place, or blobs are; start ZEO, and check the slave'],
    ['5', 'not promoted: another program uses the slave (does a ZEO server serve it already?)'],
  ],
  tables: [
    {
      title: 'Environment of the command of --on-loss (an empty value: not known)',
      items: [
        ['SYNCPOZO_SLAVE', 'path of the slave'],
        ['SYNCPOZO_POSITION', 'size of the slave, in bytes'],
        ['SYNCPOZO_LAST_TID', 'last transaction of the slave; later ones may be lost'],
        ['SYNCPOZO_LAST_TIME', 'time of that transaction'],
        ['SYNCPOZO_LAST_SYNC', 'time of the last sync'],
        ['SYNCPOZO_LOSS', '"possible" or "certain"'],
        ['SYNCPOZO_LOST_TRANSACTIONS', 'number of lost transactions'],
        ['SYNCPOZO_MASTER_TID', 'last transaction of the master'],
      ],
    },
  ],
};

/** `syncpozo promote SLAVE`: what a takeover calls before it starts ZEO. */
export function promoteCommand(): Command {
  const command = new Command('promote')
    .description(
      'prepares the slave to be served: stops syncs, completes the end of the file, reports what may be lost',
    )
    .argument('[SLAVE]', "the slave's data directory, or its Data.fs")
    .option(
      '--master <MASTER>',
      "the master's data directory, or its Data.fs: to catch up with it, and to report what is lost, if it answers",
    )
    .option(
      '--grace <seconds>',
      'time that a running sync has to end before it is killed',
      secondsOption,
      GRACE_SECONDS,
    )
    .option(
      '--catch-up <seconds>',
      'time to copy what the master has and the slave lacks; 0: do not',
      timeOption,
      CATCH_UP_SECONDS,
    )
    .option('--patience <seconds>', 'time that the master has to answer', secondsOption, DEADLINE_SECONDS)
    .option(
      '--max-age <duration>',
      'refuse a slave that was in step longer ago than, for example, 30min',
      durationOption,
    )
    .option('--force', 'promote it all the same')
    .option(
      '--supersede',
      "after a split brain, on the side whose data are kept, with ZEO stopped there: begin a term above MASTER's, whatever this side was before",
    )
    .option(
      '--verify',
      'compare the complete slave with its checksums, not only the last piece; reads the complete file',
    )
    .option('--on-loss <command>', 'start this shell command when transactions may have been lost')
    .option('--skip-hooks', 'do not ask the hook before-promote, which may forbid the promotion')
    // For the scripts of a cluster, which know the port of the master's server.
    .addOption(new Option('--master-serves').hideHelp());
  withBlobOptions(command);
  withManual(withSlaveOptions(withNames(command), OF_TWO_SIDES), MANUAL);
  return command.action(async () => {
    const flags = command.opts<Flags>();
    const chosen = storagesOf(command.args, flags, 1);
    const report = reportingOf(flags, chosen);
    if (!chosen) {
      const [slave = ''] = placesOf(command);
      const sides = { slave, master: flags.master, file: flags.file, blobs: blobSettingsOf(flags, command) };
      return printEnded(await promoted(sides, statusFileOf(flags), flags, report), flags);
    }
    refuseForSeveral(command, chosen, 'file', 'master', 'blobs');
    const ofOthers = chosen.storages.some(({ blobs }) => blobs !== undefined);
    await forEachStorage(chosen.storages, flags, ({ name, slave, master, file, statusFile, blobs }) => {
      const settings = blobSettingsOf(flags, command, { settings: blobs, ofOthers });
      const sides = { slave, master: flags.master ?? master, file: flags.file ?? file, blobs: settings };
      return promoted(sides, flags.statusFile ?? statusFile, flags, { ...report, storage: name });
    });
  });
}

function reportingOf(flags: Flags, chosen: Chosen | undefined): PromoteReporting {
  const log = flags.logFile === undefined ? SILENT : logOf(flags);
  const hooks = chosen?.configuration.hooks;
  // A hook that cannot be run has to be reported somewhere.
  const ofHooks = hooks && Object.keys(hooks.commands).length > 0 ? logOf({ ...flags, logLevel: 'warn' }) : log;
  return { hooks: hooksOf(hooks, ofHooks), skipHooks: flags.skipHooks === true, log };
}

interface Sides {
  readonly slave: string;
  readonly master: string | undefined;
  readonly file: string | undefined;
  readonly blobs: BlobSettings | 'given-up' | undefined;
}

async function promoted(
  { slave, master, file, blobs }: Sides,
  statusFile: string,
  flags: Flags,
  report: PromoteReporting,
): Promise<Ended> {
  if (flags.supersede && master === undefined)
    throw new PathMistake('--supersede needs the other side', 'name it with --master, as it is mounted here');
  const { onLoss, catchUp: seconds, patience: patienceSeconds } = flags;
  // A person waits for an answer without which nothing is done; a takeover does not.
  const termSeconds = flags.supersede ? Math.max(ANSWER_SECONDS, patienceSeconds) : patienceSeconds;
  const program = process.argv[1] ?? '';
  const options: PromoteOptions = {
    slave,
    file,
    statusFile,
    graceSeconds: flags.grace,
    verify: flags.verify === true,
    masterServes: flags.masterServes === true,
    force: flags.force === true,
    supersede: flags.supersede === true,
    ...(master !== undefined && {
      master: masterSideByName(master, slave, file),
      askMaster: (name) =>
        askForMaster(program, master, slave, patienceSeconds, ['--file', name, '--status-file', statusFile]),
      termOfMaster: (name) => askForTerm(program, master, name, termSeconds),
    }),
    ...(flags.maxAge !== undefined && !flags.force && { maxAgeSeconds: flags.maxAge }),
    ...(master !== undefined &&
      seconds > 0 &&
      !isElsewhere(master) && {
        catchUp: () =>
          new CatchUp({
            program,
            master,
            slave,
            blobs,
            seconds,
            patienceSeconds,
            options: ['--status-file', statusFile, ...(file === undefined ? [] : ['--file', file])],
          }),
      }),
    ...(onLoss !== undefined && { onLoss: (facts) => startShell(onLoss, facts) }),
  };
  const result = await promoteWithEvents(options, report);
  const { exitCode } = result;
  if (!result.promoted) return { exitCode, json: result, err: renderPromotion(result) };
  if (!flags.quiet || exitCode !== 0) return { exitCode, json: result, out: renderPromotion(result) };
  const lines = linesOfSwitch(result).map((line) => `${line}\n`);
  return { exitCode, json: result, err: lines.join('') };
}
