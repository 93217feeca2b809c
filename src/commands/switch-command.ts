import { Command } from 'commander';
import { writeToStdout } from '../io/sink.js';
import { type Switch, writeSwitch } from '../standby/switch.js';
import { type CommonOptions, printJson, statusFileOf, withCommonOptions, withStatusFile } from './common.js';
import { type Manual, withManual } from './manual.js';

const MEANING: Readonly<Record<Switch, string>> = {
  on: 'switches syncs on: writes SYNCING=1 into the status file, durably',
  off: 'switches syncs off: writes SYNCING=0 into the status file, durably; no sync starts until it is switched on',
};

function manualFor(value: Switch): Manual {
  return {
    examples: [`syncpozo ${value}`, `syncpozo ${value} --status-file /var/lib/syncpozo/syncPozo.status`],
    exits: [
      ['0', `the switch is ${value}`],
      ['1', 'the status file cannot be written'],
      ['2', 'usage: wrong options'],
    ],
  };
}

/** `syncpozo on` and `syncpozo off`. */
export function switchCommand(value: Switch): Command {
  const command = withStatusFile(withCommonOptions(new Command(value).description(MEANING[value])));
  withManual(command, manualFor(value));
  return command.action((flags: CommonOptions & { readonly statusFile?: string }) => {
    const path = statusFileOf(flags);
    writeSwitch(path, value);
    if (flags.json) printJson({ statusFile: path, syncing: value === 'on' });
    else if (!flags.quiet) writeToStdout(`SYNCING=${value === 'on' ? 1 : 0} in ${path}\n`);
  });
}
