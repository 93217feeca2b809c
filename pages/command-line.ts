import type { Argument, Command, Option } from 'commander';
import { COMMANDS } from '../src/command-table.js';
import { type Manual, manualOf } from '../src/commands/manual.js';
import { programOf } from '../src/program.js';

/** What stands behind an option or in the place of an argument, as far as a shell can complete it. */
export type Value = 'none' | 'path' | 'text' | readonly string[];

export interface OptionPage {
  /** As they are typed: `-q` and `--quiet`. */
  readonly flags: readonly string[];
  /** The name of its value with its brackets, or ''. */
  readonly placeholder: string;
  /** With default and choices. */
  readonly description: string;
  readonly value: Value;
}

export interface ArgumentPage {
  readonly name: string;
  readonly description: string;
  readonly value: Value;
  /** Any number of them. They stand in the place of the others. */
  readonly variadic: boolean;
}

export interface CommandPage {
  readonly name: string;
  readonly description: string;
  readonly arguments: readonly ArgumentPage[];
  readonly options: readonly OptionPage[];
  readonly manual: Manual;
}

export interface CommandLine {
  readonly version: string;
  readonly program: CommandPage;
  readonly commands: readonly CommandPage[];
}

/** The command line as data, from the very tree that parses it. */
export async function commandLine(version: string): Promise<CommandLine> {
  const program = await programOf(Object.values(COMMANDS), version);
  return { version, program: pageOf(program), commands: program.commands.map(pageOf) };
}

/** The names of values that are paths; `<name>` is a file's name without a directory, which a shell cannot complete. */
const PATHS: ReadonlySet<string> = new Set(['MASTER', 'SLAVE', 'DATA', 'PEER', 'FILE', 'A', 'B', 'file', 'path']);

function pageOf(command: Command): CommandPage {
  const manual = manualOf(command);
  if (!manual) throw new Error(`the command ${command.name()} has no manual`);
  const helper = command.createHelp();
  return {
    name: command.name(),
    description: command.description(),
    arguments: command.registeredArguments.map((argument: Argument) => ({
      name: argument.name(),
      description: argument.description,
      value: takenBy(argument.name(), argument.argChoices),
      variadic: argument.variadic,
    })),
    options: helper.visibleOptions(command).map((option: Option) => {
      const placeholder = /[<[].*$/.exec(option.flags)?.[0] ?? '';
      return {
        flags: [option.short, option.long].flatMap((flag) => flag ?? []),
        placeholder,
        description: helper.optionDescription(option),
        value: takenBy(placeholder.replace(/[<>[\].]/g, ''), option.argChoices),
      };
    }),
    manual,
  };
}

function takenBy(name: string, choices: readonly string[] | undefined): Value {
  if (name === '') return 'none';
  return choices ?? (PATHS.has(name) ? 'path' : 'text');
}
