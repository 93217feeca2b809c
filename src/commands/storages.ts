import type { Command } from 'commander';
import type { Configuration, StorageSettings } from '../config/configuration.js';
import { DEFAULT_CONFIGURATION, readConfiguration } from '../config/read-configuration.js';
import { isStorageName } from '../config/storage-name.js';
import { factsOfPath } from '../io/facts.js';
import { PathMistake } from '../standby/paths.js';

export interface ConfigurationFlags {
  readonly config?: string;
}

/** The storages that a command was called for, in the order in which they were named. */
export interface Chosen {
  readonly configuration: Configuration;
  readonly storages: readonly StorageSettings[];
}

/** For the help of every command that takes names. */
export const NAMES_NOTE =
  'NAME is a storage of the configuration file; without an argument, the command does its work for all of them, one after the other. A fault of one does not keep it from the others; the exit status is the worst: 4 before 3, 5, 2, 1 and 0. Options win over the file. A word with a slash or a dot in it is a path.';

export function withConfiguration(command: Command): Command {
  return command.option(
    '--config <path>',
    `the configuration file, which has the storages; default: $SYNCPOZO_CONFIG, or ${DEFAULT_CONFIGURATION}`,
  );
}

/**
 * Lets a command take names of storages in the place of its paths, which have been declared as optional arguments: their
 * number is checked by `placesOf`.
 */
export function withNames(command: Command): Command {
  const paths = command.registeredArguments.map((argument) => `<${argument.name()}>`);
  const forms = [...(paths.length > 0 ? [paths] : []), ['[NAME...]']].map((form) => ['[options]', ...form].join(' '));
  withConfiguration(command.argument('[NAME...]', 'storages of the configuration file; without an argument: all'));
  return command.usage(forms.join(`\n   or: syncpozo ${command.name()} `));
}

/**
 * The storages that the arguments of a command name, or all without an argument; undefined: the arguments are paths, or there
 * are none and no configuration.
 *
 * With `--config` they are names. Otherwise a word without slash and dot may be one: it is, if SYNCPOZO_CONFIG is set, if the
 * configuration at the default place has a storage of that name, or if there are more or fewer arguments than `places`, the
 * number that the paths would have. No configuration is read for paths alone. Throws ConfigurationMistake, and PathMistake for a
 * name that the configuration does not have, or a name beside a path.
 */
export function storagesOf(
  args: readonly string[],
  { config }: ConfigurationFlags,
  places: number,
  defaultPath = DEFAULT_CONFIGURATION,
): Chosen | undefined {
  if (config !== undefined) return choose(readConfiguration(config), args);
  const word = args.find(isStorageName);
  if (word === undefined && args.length > 0) return undefined;
  const path = args.find((each) => !isStorageName(each));
  const fromEnvironment = process.env['SYNCPOZO_CONFIG'];
  if (fromEnvironment && path !== undefined) throw mixed(word, path);
  if (fromEnvironment) return choose(readConfiguration(fromEnvironment), args);
  if (factsOfPath(defaultPath) === undefined) return undefined;
  const configuration = readConfiguration(defaultPath);
  const named = configuration.storages.find(({ name }) => args.includes(name));
  if (path !== undefined && named) throw mixed(named.name, path);
  if (path !== undefined) return undefined;
  const isNamed = named !== undefined;
  return isNamed || args.length === 0 || args.length !== places ? choose(configuration, args) : undefined;
}

function mixed(name: string | undefined, path: string): PathMistake {
  return new PathMistake(`${name} is a name, and ${path} is a path`, `for a directory, write ./${name}`);
}

function choose(configuration: Configuration, args: readonly string[]): Chosen {
  const { path, storages } = configuration;
  if (args.length === 0) return { configuration, storages };
  const named = [...new Set(args)].map((name) => {
    const storage = storages.find((each) => each.name === name);
    if (storage) return storage;
    const known = storages.map((each) => each.name).join(', ');
    const hint = isStorageName(name) ? `a path has a slash, as ./${name}` : 'without --config, it is a path';
    throw new PathMistake(`${path} has no storage ${name}; it has ${known}`, hint);
  });
  return { configuration, storages: named };
}

/** The arguments of a command that was called with paths. Ends the program if there are too few or too many of them. */
export function placesOf(command: Command): readonly string[] {
  const places = command.registeredArguments.filter(({ variadic }) => !variadic).map((argument) => argument.name());
  const { args } = command;
  const missing = places[args.length];
  if (missing !== undefined) {
    const advice =
      args.length === 0
        ? `, and there is no ${DEFAULT_CONFIGURATION}\nhint: give ${places.join(' and ')}, or write ${DEFAULT_CONFIGURATION}, or name a configuration with --config`
        : '';
    command.error(`error: missing required argument '${missing}'${advice}`);
  }
  if (args.length > places.length) {
    const expected = `Expected ${places.length} argument${places.length === 1 ? '' : 's'} but got ${args.length}`;
    command.error(`error: too many arguments for '${command.name()}'. ${expected}.`);
  }
  return args;
}

/** Seconds without progress after which a read of the storage's master is abandoned. */
export function timeoutOf(
  { timeoutSeconds }: StorageSettings,
  flags: { readonly timeout: number },
  command: Command,
): number {
  return isGiven(command, 'timeout') ? flags.timeout : timeoutSeconds;
}

/** Whether an option stands on the command line, where it wins over the configuration. */
export function isGiven(command: Command, option: string): boolean {
  return command.getOptionValueSource(option) === 'cli';
}

/** Ends the program where one of these options, which name files of one storage, is given for several. `--no-blobs` names none. */
export function refuseForSeveral(command: Command, { storages }: Chosen, ...options: readonly string[]): void {
  const given =
    storages.length > 1
      ? options.find((option) => isGiven(command, option) && command.getOptionValue(option) !== false)
      : undefined;
  if (given !== undefined)
    command.error(`error: option '--${given}' is for one storage, and this is for ${storages.length}`);
}

/**
 * For --together: ends the program without a configuration, or if only a part of a group is chosen, which would not be together
 * any more.
 */
export function refuseParts(command: Command, chosen: Chosen | undefined): void {
  if (!chosen) return command.error("error: option '--together' is for storages of a configuration");
  const { configuration, storages } = chosen;
  const missing = configuration.storages.find(
    (each) =>
      !storages.includes(each) && each.group !== undefined && storages.some(({ group }) => group === each.group),
  );
  if (missing) command.error(`error: ${missing.name} belongs to the group ${missing.group} as well: name it, or none`);
}
