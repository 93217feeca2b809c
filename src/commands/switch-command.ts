import { Command } from 'commander';
import { writeToStdout } from '../io/sink.js';
import { type Switch, writeSwitch } from '../standby/switch.js';
import { type CommonOptions, printJson, statusFileOf, withCommonOptions, withStatusFile } from './common.js';
import { EXIT_HELP } from './exit.js';

const MEANING: Readonly<Record<Switch, string>> = {
  on: 'lets sync run again: writes SYNCING=1 into the status file, durably',
  off: 'stops every further sync, for good: writes SYNCING=0 into the status file, durably; what a failover does first',
};

/** `syncpozo on` and `syncpozo off`. */
export function switchCommand(value: Switch): Command {
  const command = withStatusFile(withCommonOptions(new Command(value).description(MEANING[value])));
  command.addHelpText(
    'after',
    `\nExample:\n  syncpozo ${value} --status-file /var/lib/syncpozo/syncPozo.status\n${EXIT_HELP}`,
  );
  return command.action((flags: CommonOptions & { readonly statusFile?: string }) => {
    const path = statusFileOf(flags);
    writeSwitch(path, value);
    if (flags.json) printJson({ statusFile: path, syncing: value === 'on' });
    else if (!flags.quiet) writeToStdout(`SYNCING=${value === 'on' ? 1 : 0} in ${path}\n`);
  });
}
