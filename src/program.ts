import { Command, CommanderError } from 'commander';
import { type Manual, withManual } from './commands/manual.js';
import { reportError } from './commands/report-error.js';
import { writeToStderr, writeToStdout } from './io/sink.js';
import { ReadDeadline } from './pipeline/read-deadline.js';
import { EXIT, exitOfError } from './round/exit.js';

/** The version in package.json. The bundler inserts it: to find and read that file would take 0.7 ms of every run. */
declare const VERSION: string;

/** Commands by their names; each is made only if it is called, or if the help lists all. */
export type Commands = Readonly<Record<string, () => Command | Promise<Command>>>;

/** How long an abandoned read may keep the process alive. */
const LINGER_MS = 2000;

/** Runs the command line with the one of these commands that it names. Sets the exit status. */
export async function run(commands: Commands): Promise<void> {
  // Reads of a slow master wait side by side in libuv's thread pool. It has four threads, unless this is set before its
  // first use. A watch of several storages goes on beside reads that hang.
  process.env['UV_THREADPOOL_SIZE'] ??= process.argv[2] === 'watch' ? '64' : '16';
  try {
    const name = process.argv[2] ?? '';
    const called = Object.hasOwn(commands, name) ? commands[name] : undefined;
    const program = await programOf(called ? [called] : Object.values(commands), VERSION);
    await program.parseAsync();
  } catch (error) {
    process.exitCode = endOf(error);
  }
  const exitCode = Number(process.exitCode ?? EXIT.ok);
  if (ReadDeadline.hanging > 0) endWithoutWaiting(exitCode);
  // A run that failed or was interrupted may have left a read that never returns.
  if (exitCode !== EXIT.ok) setTimeout(endWithoutWaiting, LINGER_MS, exitCode).unref();
}

const MANUAL: Manual = {
  examples: ['syncpozo sync /mnt/m1/zeo/var /srv/zeo/var', 'syncpozo help sync'],
  exits: [
    ['0', 'done, or nothing to do'],
    ['1', 'a fault outside the data, for example an I/O error; try again'],
    ['2', 'usage: wrong options or paths'],
    ['3', 'refused; a person decides'],
    ['4', 'damaged data'],
    ['5', 'refused: another program uses the slave'],
  ],
  notes: ['The help of each command lists the exit statuses that it returns, and what they mean there.'],
};

/** The command line with these commands. */
export async function programOf(commands: readonly Commands[string][], version: string): Promise<Command> {
  const program = new Command('syncpozo')
    .description("Keeps a warm standby of a Zope or Plone site's Data.fs, exact to the byte.")
    .version(version, '-V, --version', 'print the version')
    .showHelpAfterError('(--help shows the options)')
    // Node's own streams take milliseconds to set up, and fail when a reader ends early (`| head`).
    .configureOutput({ writeOut: writeToStdout, writeErr: writeToStderr })
    .exitOverride();
  for (const make of commands) program.addCommand((await make()).copyInheritedSettings(program));
  return withManual(program, MANUAL);
}

/**
 * A thread that hangs in a read of a dead mount cannot be ended. An ordinary exit would wait for it forever, and the process would
 * keep the slave's lock. Everything is reported by now. With execve the process becomes one that exits with our status; an
 * older Node has no execve, and only SIGKILL ends the process.
 */
function endWithoutWaiting(exitCode: number): void {
  const { execve } = process as { execve?: (file: string, args: readonly string[]) => never };
  if (execve) execve('/bin/sh', ['sh', '-c', `exit ${exitCode}`]);
  process.kill(process.pid, 'SIGKILL');
}

/** Exit status for an error that a command has thrown. Reports the error, unless commander has done so. */
function endOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  reportError(error);
  return exitOfError(error);
}
