import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { PROGRAM } from '../test/support/cli.js';
import { inProject } from '../test/support/root.js';

/** Our own program, as an operator starts it. */
export const SYNCPOZO: readonly string[] = [process.execPath, PROGRAM];

const VENV_PYTHON = inProject('.venv', 'bin', 'python');

/** A program that rows compare with, and the installed version, if any. */
export interface Peer {
  readonly name: string;
  readonly version: string | undefined;
}

/** Which programs to compare with are installed here, and which commands and options our own program has. */
export class Peers {
  readonly rsync = versionOf('rsync', ['rsync', '--version']);
  readonly xxhsum = versionOf('xxhsum', ['xxhsum', '--version']);
  readonly cp = versionOf('cp', ['cp', '--version']);
  /** ZODB's tools in the tests' virtual environment. The tests create it, the benchmarks do not. */
  readonly zodb = versionOf('ZODB', [
    VENV_PYTHON,
    '-c',
    'import importlib.metadata as m; print("ZODB", m.version("ZODB"), "on Python", __import__("platform").python_version())',
  ]);
  private readonly help = outputOf([...SYNCPOZO, '--help']);
  private readonly helps = new Map<string, string>();

  get all(): readonly Peer[] {
    return [this.cp, this.rsync, this.xxhsum, this.zodb];
  }

  /** Whether our program has a command. */
  has(command: string): boolean {
    return new RegExp(`^ +${command}\\b`, 'm').test(this.help);
  }

  /** The arguments, if the command has this option; otherwise none. */
  optional(command: string, option: string, ...values: readonly string[]): readonly string[] {
    let help = this.helps.get(command);
    if (help === undefined) {
      help = outputOf([...SYNCPOZO, command, '--help']);
      this.helps.set(command, help);
    }
    return help.includes(`${option} `) ? [option, ...values] : [];
  }
}

/** A command that runs the tests' Python. */
export function python(...args: readonly string[]): readonly string[] {
  return [VENV_PYTHON, ...args];
}

function versionOf(name: string, command: readonly string[]): Peer {
  if (command[0]?.includes('/') && !existsSync(command[0])) return { name, version: undefined };
  const text = outputOf(command).trim().split('\n')[0]?.trim();
  return { name, version: text === '' ? undefined : text };
}

/** A command's output on both streams; empty when it cannot be run. */
function outputOf([program = '', ...args]: readonly string[]): string {
  const run = spawnSync(program, args, { encoding: 'utf8' });
  return run.status === 0 ? run.stdout + run.stderr : '';
}
