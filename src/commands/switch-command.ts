import { Command } from 'commander';
import type { StorageSettings } from '../config/configuration.js';
import { EXIT } from '../round/exit.js';
import { type Switch, writeSwitch } from '../standby/switch.js';
import { type CommonOptions, statusFileOf, withCommonOptions, withStatusFile } from './common.js';
import { type Ended, forEachStorage, printEnded } from './each-storage.js';
import { type Manual, withManual } from './manual.js';
import { type Chosen, type ConfigurationFlags, NAMES_NOTE, placesOf, storagesOf, withNames } from './storages.js';

const MEANING: Readonly<Record<Switch, string>> = {
  on: 'switches syncs on: writes SYNCING=1 into the status file, durably',
  off: 'switches syncs off: writes SYNCING=0 into the status file, durably; no sync starts until it is switched on',
};

function manualFor(value: Switch): Manual {
  return {
    notes: [
      `Without a name, with a configuration and without --status-file, it is the switch of every storage. ${NAMES_NOTE}`,
    ],
    examples: [
      `syncpozo ${value}`,
      `syncpozo ${value} main`,
      `syncpozo ${value} --status-file /var/lib/syncpozo/syncPozo.status`,
    ],
    exits: [
      ['0', `the switch is ${value}`],
      ['1', 'the status file cannot be written'],
      ['2', 'usage: wrong options, or a mistake in the configuration'],
    ],
  };
}

interface Flags extends CommonOptions, ConfigurationFlags {
  readonly statusFile?: string;
}

/** `syncpozo on` and `syncpozo off`. */
export function switchCommand(value: Switch): Command {
  const command = new Command(value).description(MEANING[value]);
  withManual(withStatusFile(withCommonOptions(withNames(command))), manualFor(value));
  return command.action(async () => {
    const flags = command.opts<Flags>();
    const { args } = command;
    // Without a name, --status-file is all that there is to say.
    const isOneFile = args.length === 0 && flags.statusFile !== undefined && flags.config === undefined;
    const chosen = isOneFile ? undefined : storagesOf(args, flags, 0);
    if (!chosen) {
      placesOf(command);
      return printEnded(setSwitch(statusFileOf(flags), value, flags), flags);
    }
    const written = new Map<string, Ended>();
    await forEachStorage(chosen.storages, flags, (storage) => {
      const path = flags.statusFile ?? storage.statusFile;
      const ended = written.get(path) ?? setSwitch(path, value, flags, coveredBy(path, storage, chosen));
      written.set(path, ended);
      return ended;
    });
  });
}

/** `covered`: what else it is the switch of. */
function setSwitch(path: string, value: Switch, { quiet }: CommonOptions, covered = ''): Ended {
  writeSwitch(path, value);
  const out = quiet ? '' : `SYNCING=${value === 'on' ? 1 : 0} in ${path}${covered}\n`;
  return { exitCode: EXIT.ok, json: { statusFile: path, syncing: value === 'on' }, out };
}

/** A switch covers every storage that names it, whether the command names that storage or not. */
function coveredBy(path: string, { name }: StorageSettings, { configuration, storages }: Chosen): string {
  const others = configuration.storages.filter((other) => other.statusFile === path && other.name !== name);
  const unnamed = others.filter((other) => !storages.includes(other)).map((other) => other.name);
  return unnamed.length === 0 ? '' : `, which is the switch of ${unnamed.join(', ')} as well`;
}
