import { Argument, Command } from 'commander';
import type { Configuration } from '../config/configuration.js';
import { everyKey } from '../config/file-schema.js';
import { nearest } from '../config/nearest.js';
import { DEFAULT_CONFIGURATION, readConfiguration } from '../config/read-configuration.js';
import { writeToStderr, writeToStdout } from '../io/sink.js';
import { visible } from '../report/quote.js';
import { EXIT } from '../round/exit.js';
import { type CommonOptions, printJson, withCommonOptions } from './common.js';
import { configurationJson, type Value, valueAt } from './config-values.js';
import { warningsOf } from './config-warnings.js';
import { type Manual, withManual } from './manual.js';
import { type ConfigurationFlags, withConfiguration } from './storages.js';

type Flags = CommonOptions & ConfigurationFlags;

const MANUAL: Manual = {
  notes: [
    'check reports every mistake in the file, one a line, as FILE:LINE: what was found, what was expected. It warns of paths on the side of the slave that do not exist, and ends with 0 all the same. It never touches a master.',
    'get prints the value of one key, as it applies: from the file, or the default. Its names are those of the file, as in storages.main.slave. Durations are in seconds, sizes in bytes. A list has one item a line, and so have the names of the keys below KEY: storages has the names of all storages.',
    '--json prints the complete configuration as one JSON object; it is for check.',
  ],
  examples: ['syncpozo config check', 'syncpozo config get storages.main.slave'],
  exits: [
    ['0', 'the configuration has no mistake; the value was printed'],
    ['1', 'get: nothing is set; also: the file cannot be read because of an I/O error'],
    ['2', 'usage: wrong options, no such key, or a mistake in the configuration'],
  ],
};

/** `syncpozo config check` and `syncpozo config get KEY`. */
export function configCommand(): Command {
  const command = new Command('config')
    .description('checks the configuration file, or prints a value of it for a script')
    .addArgument(new Argument('<ACTION>', 'what to do').choices(['check', 'get']))
    .argument('[KEY]', 'of get: the key, as storages.main.slave');
  withManual(withCommonOptions(withConfiguration(command)), MANUAL);
  return command.action((action: 'check' | 'get', key: string | undefined, flags: Flags) => {
    if (action === 'get' && key === undefined) command.error("error: missing required argument 'KEY'");
    if (action === 'check' && key !== undefined) command.error("error: 'check' takes no KEY");
    if (action === 'get' && flags.json) command.error("error: option '--json' is for 'check'");
    if (key !== undefined) refuseUnknown(key, command);
    const path = flags.config ?? (process.env['SYNCPOZO_CONFIG'] || DEFAULT_CONFIGURATION);
    const configuration = readConfiguration(path);
    if (key === undefined) check(configuration, flags);
    else process.exitCode = printValue(valueAt(configuration, key.split('.')));
  });
}

/** Ends the program where no configuration could have this key. */
function refuseUnknown(key: string, command: Command): void {
  const known = everyKey();
  const generic = key.split('.').map((part, index, parts) => (index === 1 && parts[0] === 'storages' ? '*' : part));
  if (known.includes(generic.join('.'))) return;
  const near = nearest(generic.join('.'), known)?.replace('*', key.split('.')[1] ?? '');
  command.error(`error: no configuration has a key ${key}${near === undefined ? '' : `; did you mean ${near}?`}`);
}

function printValue(value: Value | undefined): number {
  if (value === undefined) return EXIT.fault;
  const lines = Array.isArray(value) ? value : typeof value === 'object' ? Object.keys(value) : [String(value)];
  writeToStdout(lines.map((line) => `${line}\n`).join(''));
  return EXIT.ok;
}

function check(configuration: Configuration, flags: Flags): void {
  const warnings = warningsOf(configuration);
  if (flags.json) return printJson({ ...configurationJson(configuration), warnings, exitCode: EXIT.ok });
  if (!flags.quiet) {
    for (const { name, master, slave } of configuration.storages)
      writeToStdout(`${name}: ok, from ${visible(master)} to ${visible(slave)}\n`);
  }
  for (const { storage, message } of warnings)
    writeToStderr(`warning: ${storage === null ? '' : `${storage}: `}${visible(message)}\n`);
}
