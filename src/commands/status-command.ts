import { Command, InvalidArgumentError, Option } from 'commander';
import type { StorageSettings } from '../config/configuration.js';
import { writeToStderr, writeToStdout } from '../io/sink.js';
import { renderPluginLine, STATES, type State } from '../report/plugin-line.js';
import { isForeseen } from '../round/exit.js';
import { OF_TWO_SIDES, type SlaveOptions, statusFileOf, withSlaveOptions, withTimeout } from './common.js';
import { forEachStorage, printEnded } from './each-storage.js';
import { type Manual, withManual } from './manual.js';
import { readStanding, type StatusOptions } from './status.js';
import { checkSlave, FILE_CHECKS, type FileCheck } from './status-check.js';
import {
  isJudged,
  printReport,
  printReports,
  type Report,
  type ReportFlags,
  type StorageReport,
} from './status-report.js';
import {
  type ConfigurationFlags,
  NAMES_NOTE,
  placesOf,
  refuseForSeveral,
  storagesOf,
  timeoutOf,
  withNames,
} from './storages.js';
import { judge, type Threshold } from './thresholds.js';

interface Flags extends Omit<SlaveOptions, keyof ReportFlags>, ReportFlags, ConfigurationFlags {
  readonly check?: FileCheck;
  readonly master?: string;
  readonly timeout: number;
}

const MANUAL: Manual = {
  notes: [
    `Of storages, it probes the masters as well, as if --master was given. ${NAMES_NOTE}`,
    '--check answers a question in one line and by the exit status, for a cluster manager or a load balancer: the health check of that name of a watch, from the files of this host. It never touches a master, so it is quick while its mount hangs. --max-age is then one number of seconds: the slave was in step within them, as far as a sync or a watch has recorded it; a watch records it once a minute.',
  ],
  examples: [
    'syncpozo status /srv/zeo/var --master /mnt/m1/zeo/var',
    'syncpozo status /srv/zeo/var --master /mnt/m1/zeo/var --max-lag 120,600 --max-age 180',
    'syncpozo status --max-lag 120,600',
    'syncpozo status main --check promotable --max-age 3600',
    'syncpozo status /srv/zeo/var --prometheus --output /var/lib/prometheus/node-exporter/syncpozo.prom',
  ],
  exits: [
    ['0', 'reported, whatever the state of the slave and of the master is'],
    ['1', 'a fault: the files of the slave cannot be read, or the output cannot be written'],
    ['2', 'usage: wrong options or paths, or a status file that says neither 0 nor 1'],
    ['3', 'with --check: the answer is no, or not known; the reason is printed'],
  ],
  tables: [
    {
      title:
        'Exit status with --max-lag, --max-age or --max-scrub-age, as a monitoring plugin (Nagios, Icinga, Zabbix), whose first line is "SYNCPOZO STATE - words|figures"',
      items: [
        ['0', 'OK'],
        [
          '1',
          'WARNING: more than the first of two numbers, no full scrub yet, syncs that fail, switched off, promoted (there is no standby), files kept aside, or files of lost transactions',
        ],
        [
          '2',
          'CRITICAL: more than the last number, no sync recorded, syncs that fail for long, a refusal, damage, no claim, a slave that is cut short or that another program uses; also: wrong options',
        ],
        ['3', 'UNKNOWN: an error; or the lag is not known (the master is out of reach), and nothing worse is found'],
      ],
    },
  ],
};

/** `syncpozo status SLAVE`: what is known of the slave, for people and for monitors. */
export function statusCommand(): Command {
  const command = new Command('status')
    .description('reports role, switch, claim and age of the slave; with --master also its lag')
    .argument('[SLAVE]', "the slave's data directory, or its Data.fs")
    .option('--master <MASTER>', "the master's data directory, or its Data.fs, to report the lag")
    .addOption(new Option('--prometheus', "print the figures in Prometheus' text format").conflicts('json'))
    .addOption(
      new Option('--check <check>', 'answer one question by the exit status: 0 for yes, 3 for no')
        .choices(FILE_CHECKS)
        .conflicts(['master', 'prometheus', 'output', 'maxLag', 'maxScrubAge']),
    )
    .option('--output <file>', 'write the report into this file, which is replaced in one step')
    .option('--max-lag <seconds>', 'limit of the lag, or two limits: WARNING,CRITICAL; needs --master', thresholdOption)
    .option('--max-age <seconds>', 'limit of the time since the last sync, or two limits', thresholdOption)
    .option('--max-scrub-age <seconds>', 'limit of the time since the last full scrub, or two limits', thresholdOption);
  withManual(withTimeout(withSlaveOptions(withNames(command), OF_TWO_SIDES)), MANUAL);
  return command.action(async () => {
    const flags = command.opts<Flags>();
    const chosen = storagesOf(command.args, flags, 1);
    if (chosen) refuseForSeveral(command, chosen, 'file', 'master');
    if (flags.check) {
      const maxAge = flags.maxAge;
      if (maxAge?.warning !== undefined) command.error('error: --max-age is one number of seconds with --check');
      const { check } = flags;
      const checked = (options: StatusOptions) => checkSlave(check, maxAge?.critical, options);
      if (chosen)
        return forEachStorage(chosen.storages, flags, (storage) => checked(optionsOf(storage, flags, command)));
      return printEnded(await checked(sidesOf(flags, command)), flags);
    }
    if (chosen) {
      const reports = await reportsOf(chosen.storages, flags, command);
      process.exitCode = printReports(reports, flags);
      return;
    }
    const sides = sidesOf(flags, command);
    if (flags.maxLag && flags.master === undefined) command.error('error: --max-lag needs --master');
    if (!isJudged(flags)) return void printReport(await reportOf(sides, flags), flags);
    let state: State = 'UNKNOWN';
    try {
      state = printReport(await reportOf(sides, flags), flags);
    } catch (error) {
      if (!isForeseen(error)) throw error;
      // Whoever reads an object, or figures, cannot read this line.
      const write = flags.json || flags.prometheus ? writeToStderr : writeToStdout;
      write(renderPluginLine(state, [error.message]));
    }
    process.exitCode = STATES.indexOf(state);
  });
}

/** The paths of the command line. */
function sidesOf(flags: Flags, command: Command): StatusOptions {
  const [slave = ''] = placesOf(command);
  const { master, file, timeout: timeoutSeconds } = flags;
  return { slave, master, file, statusFile: statusFileOf(flags), timeoutSeconds };
}

/** A storage of the configuration. */
function optionsOf(storage: StorageSettings, flags: Flags, command: Command): StatusOptions {
  return {
    slave: storage.slave,
    master: flags.master ?? storage.master,
    file: flags.file ?? storage.file,
    statusFile: flags.statusFile ?? storage.statusFile,
    timeoutSeconds: timeoutOf(storage, flags, command),
  };
}

async function reportOf(options: StatusOptions, { maxLag, maxAge, maxScrubAge }: Flags): Promise<Report> {
  const standing = await readStanding(options);
  const now = Date.now();
  return { standing, verdict: judge(standing, { maxLag, maxAge, maxScrubAge }, now), now };
}

/** Reads one storage after the other; an error of one does not keep the others from being read. */
async function reportsOf(
  storages: readonly StorageSettings[],
  flags: Flags,
  command: Command,
): Promise<ReadonlyMap<string, StorageReport>> {
  const reports = new Map<string, StorageReport>();
  for (const storage of storages) {
    const options = optionsOf(storage, flags, command);
    reports.set(storage.name, await reportOf(options, flags).catch((error: unknown) => ({ error })));
  }
  return reports;
}

/** Commander's parser: one number of seconds, or two with a comma, the smaller one first. */
function thresholdOption(text: string): Threshold {
  const match = /^(?:(\d{1,9}),)?(\d{1,9})$/.exec(text);
  const threshold = { warning: match?.[1] === undefined ? undefined : Number(match[1]), critical: Number(match?.[2]) };
  if (!match || (threshold.warning ?? 0) > threshold.critical)
    throw new InvalidArgumentError('Expected seconds, or two numbers WARNING,CRITICAL with the smaller one first.');
  return threshold;
}
