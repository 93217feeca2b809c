import { resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { ownTemporaryOf, replaceText } from '../io/replace.js';
import { writeToStderr, writeToStdout } from '../io/sink.js';
import { renderPluginLine, STATES, type State } from '../report/plugin-line.js';
import { renderPrometheus } from '../report/prometheus.js';
import { renderStanding } from '../report/standing.js';
import { isForeseen } from '../round/exit.js';
import { OF_TWO_SIDES, type SlaveOptions, statusFileOf, withSlaveOptions, withTimeout } from './common.js';
import { type Manual, withManual } from './manual.js';
import { readStanding } from './status.js';
import { judge, type Threshold, type Verdict } from './thresholds.js';

interface Flags extends SlaveOptions {
  readonly master?: string;
  readonly prometheus?: boolean;
  readonly output?: string;
  readonly maxLag?: Threshold;
  readonly maxAge?: Threshold;
  readonly maxScrubAge?: Threshold;
  readonly timeout: number;
}

const READABLE_FOR_ALL = 0o644;

const MANUAL: Manual = {
  examples: [
    'syncpozo status /srv/zeo/var --master /mnt/m1/zeo/var',
    'syncpozo status /srv/zeo/var --master /mnt/m1/zeo/var --max-lag 120,600 --max-age 180',
    'syncpozo status /srv/zeo/var --prometheus --output /var/lib/prometheus/node-exporter/syncpozo.prom',
  ],
  exits: [
    ['0', 'reported, whatever the state of the slave and of the master is'],
    ['1', 'a fault: the files of the slave cannot be read, or the output cannot be written'],
    ['2', 'usage: wrong options or paths, or a status file that says neither 0 nor 1'],
  ],
  tables: [
    {
      title:
        'Exit status with --max-lag, --max-age or --max-scrub-age, as a monitoring plugin (Nagios, Icinga, Zabbix), whose first line is "SYNCPOZO STATE - words|figures"',
      items: [
        ['0', 'OK'],
        [
          '1',
          'WARNING: more than the first of two numbers, no full scrub yet, syncs that fail, switched off, promoted (there is no standby), or files kept aside',
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
    .argument('<SLAVE>', "the slave's data directory, or its Data.fs")
    .option('--master <MASTER>', "the master's data directory, or its Data.fs, to report the lag")
    .addOption(new Option('--prometheus', "print the figures in Prometheus' text format").conflicts('json'))
    .option('--output <file>', 'write the report into this file, which is replaced in one step')
    .option('--max-lag <seconds>', 'limit of the lag, or two limits: WARNING,CRITICAL; needs --master', thresholdOption)
    .option('--max-age <seconds>', 'limit of the time since the last sync, or two limits', thresholdOption)
    .option('--max-scrub-age <seconds>', 'limit of the time since the last full scrub, or two limits', thresholdOption);
  withManual(withTimeout(withSlaveOptions(command, OF_TWO_SIDES)), MANUAL);
  return command.action(async (slave: string, flags: Flags) => {
    if (flags.maxLag && flags.master === undefined) command.error('error: --max-lag needs --master');
    if (!flags.maxLag && !flags.maxAge && !flags.maxScrubAge) return void (await report(slave, flags, false));
    let state: State = 'UNKNOWN';
    try {
      state = await report(slave, flags, true);
    } catch (error) {
      if (!isForeseen(error)) throw error;
      // Whoever reads an object, or figures, cannot read this line.
      const write = flags.json || flags.prometheus ? writeToStderr : writeToStdout;
      write(renderPluginLine(state, [error.message]));
    }
    process.exitCode = STATES.indexOf(state);
  });
}

/** Reports the standing in the requested form; returns its state for a monitor. */
async function report(slave: string, flags: Flags, judged: boolean): Promise<State> {
  const standing = await readStanding({
    slave,
    master: flags.master,
    file: flags.file,
    statusFile: statusFileOf(flags),
    timeoutSeconds: flags.timeout,
  });
  const now = Date.now();
  const { maxLag, maxAge, maxScrubAge } = flags;
  const verdict = judge(standing, { maxLag, maxAge, maxScrubAge }, now);
  const check = judged ? { state: verdict.state, exitCode: STATES.indexOf(verdict.state), words: verdict.words } : null;
  const form = flags.json ? 'json' : flags.prometheus ? 'prometheus' : 'text';
  const line = judged ? lineOf(verdict) : '';
  const whole = {
    json: () => `${JSON.stringify({ ...standing, check })}\n`,
    prometheus: () => renderPrometheus(standing, now),
    text: () => line + renderStanding(standing),
  }[form]();
  if (flags.output === undefined) {
    writeToStdout(whole);
  } else {
    const output = resolve(flags.output);
    replaceText(output, whole, { mode: READABLE_FOR_ALL }, ownTemporaryOf(output));
    writeToStdout(line);
  }
  return verdict.state;
}

function lineOf({ state, words, figures }: Verdict): string {
  return renderPluginLine(state, words, figures);
}

/** Commander's parser: one number of seconds, or two with a comma, the smaller one first. */
function thresholdOption(text: string): Threshold {
  const match = /^(?:(\d{1,9}),)?(\d{1,9})$/.exec(text);
  const threshold = { warning: match?.[1] === undefined ? undefined : Number(match[1]), critical: Number(match?.[2]) };
  if (!match || (threshold.warning ?? 0) > threshold.critical)
    throw new InvalidArgumentError('Expected seconds, or two numbers WARNING,CRITICAL with the smaller one first.');
  return threshold;
}
