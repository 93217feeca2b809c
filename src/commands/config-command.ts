import { hostname } from 'node:os';
import { Argument, Command } from 'commander';
import type { Configuration } from '../config/configuration.js';
import { everyKey } from '../config/file-schema.js';
import { nearest } from '../config/nearest.js';
import { DEFAULT_CONFIGURATION, readConfiguration } from '../config/read-configuration.js';
import { writeToStderr, writeToStdout } from '../io/sink.js';
import { visible } from '../report/quote.js';
import { EXIT } from '../round/exit.js';
import { type CommonOptions, printJson, withCommonOptions } from './common.js';
import { shellAssignments } from './config-shell.js';
import { configurationJson, type Value, valueAt } from './config-values.js';
import { warningsOf } from './config-warnings.js';
import { type Manual, withManual } from './manual.js';
import { type ConfigurationFlags, withConfiguration } from './storages.js';

type Action = 'check' | 'get' | 'shell';
type Flags = CommonOptions & ConfigurationFlags & { readonly host?: string };

const MANUAL: Manual = {
  notes: [
    'check reports every mistake in the file, one a line, as FILE:LINE: what was found, what was expected. It warns of paths on the side of the slave that do not exist, and ends with 0 all the same. It never touches a master.',
    'get prints the value of one key, as it applies: from the file, or the default. Its names are those of the file, as in storages.main.slave. Durations are in seconds, sizes in bytes. A list has one item a line, and so have the names of the keys below KEY: storages has the names of all storages.',
    'shell prints the cluster and the storages as assignments of shell variables, quoted for eval, as this host sees them; --host takes the place of its name. Durations are in whole seconds, and what is not set is empty.',
    '--json prints the complete configuration as one JSON object; it is for check.',
  ],
  examples: [
    'syncpozo config check',
    'syncpozo config get storages.main.slave',
    'eval "$(syncpozo config shell)"; echo "$cluster_address"',
  ],
  exits: [
    ['0', 'the configuration has no mistake; the value or the assignments were printed'],
    ['1', 'get: nothing is set; also: the file cannot be read because of an I/O error'],
    [
      '2',
      'usage: wrong options, no such key, or a mistake in the configuration; shell: no cluster, or not with this host',
    ],
  ],
};

/** `syncpozo config check`, `syncpozo config get KEY` and `syncpozo config shell`. */
export function configCommand(): Command {
  const command = new Command('config')
    .description('checks the configuration file, or prints values of it for a script')
    .addArgument(new Argument('<ACTION>', 'what to do').choices(['check', 'get', 'shell']))
    .argument('[KEY]', 'of get: the key, as storages.main.slave')
    .option('--host <name>', 'of shell: the host of the cluster to print the assignments for; default: this host');
  withManual(withCommonOptions(withConfiguration(command)), MANUAL);
  return command.action((action: Action, key: string | undefined, flags: Flags) => {
    if (action === 'get' && key === undefined) command.error("error: missing required argument 'KEY'");
    if (action !== 'get' && key !== undefined) command.error(`error: '${action}' takes no KEY`);
    if (action !== 'shell' && flags.host !== undefined) command.error("error: option '--host' is for 'shell'");
    if (action !== 'check' && flags.json) command.error("error: option '--json' is for 'check'");
    if (key !== undefined) refuseUnknown(key, command);
    const path = flags.config ?? (process.env['SYNCPOZO_CONFIG'] || DEFAULT_CONFIGURATION);
    const configuration = readConfiguration(path);
    if (action === 'shell') writeToStdout(shellAssignments(configuration, flags.host ?? hostname()));
    else if (key === undefined) check(configuration, flags);
    else process.exitCode = printValue(valueAt(configuration, partsOf(key)));
  });
}

/** Ends the program where no configuration could have this key. */
function refuseUnknown(key: string, command: Command): void {
  const known = everyKey();
  const parts = partsOf(key);
  const generic = parts.map((part, index) => (isChosen(parts, index) ? '*' : part));
  if (known.includes(generic.join('.'))) return;
  const near = nearest(generic.join('.'), known)?.replace('*', parts.find((_, index) => isChosen(parts, index)) ?? '');
  command.error(`error: no configuration has a key ${key}${near === undefined ? '' : `; did you mean ${near}?`}`);
}

/** The names of hosts may have dots in them, and no key below a host's name has. */
function partsOf(key: string): readonly string[] {
  const [, host, below] = /^cluster\.hosts\.(.+?)(?:\.(address|heartbeat))?$/.exec(key) ?? [];
  if (host === undefined) return key.split('.');
  return ['cluster', 'hosts', host, ...(below === undefined ? [] : [below])];
}

/** Whether a part of a key is a name that the file chooses. */
function isChosen(parts: readonly string[], index: number): boolean {
  const before = parts.slice(0, index).join('.');
  return before === 'storages' || before === 'cluster.hosts';
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
    const { cluster } = configuration;
    if (cluster) {
      const names = cluster.hosts.map(({ name }) => name).join(' and ');
      writeToStdout(`cluster: ok, ${names} with ${cluster.address}, by ${cluster.manager}\n`);
    }
  }
  for (const { storage, message } of warnings)
    writeToStderr(`warning: ${storage === null ? '' : `${storage}: `}${visible(message)}\n`);
}
