#!/usr/bin/env node
import { createRequire } from 'node:module';
import { Command, CommanderError } from 'commander';
import { EXIT, EXIT_HELP, exitOfError, hintOf, isForeseen } from './commands/exit.js';
import { Patience } from './engine/patience.js';
import { writeToStderr, writeToStdout } from './io/sink.js';

// Reads of a slow master wait beside each other in libuv's pool of threads, which has four unless it is told otherwise
// before it is first used.
process.env['UV_THREADPOOL_SIZE'] ??= '16';

const { version } = createRequire(import.meta.url)('../../package.json') as { version: string };

const program = new Command('syncpozo')
  .description("Keeps a warm standby of a Zope or Plone site's Data.fs, exact to the byte.")
  .version(version, '-V, --version')
  .showHelpAfterError('(--help tells the options)')
  .addHelpText('after', EXIT_HELP)
  // Node's own streams take milliseconds to set up. And whoever reads our output may have seen enough (`| head`).
  .configureOutput({ writeOut: writeToStdout, writeErr: writeToStderr })
  .exitOverride();
/** Each is loaded only if it is called for: cron starts this program every minute. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  sync: async () => (await import('./commands/sync-command.js')).syncCommand(),
  status: async () => (await import('./commands/status-command.js')).statusCommand(),
  verify: async () => (await import('./commands/verify-command.js')).verifyCommand(),
  on: async () => (await import('./commands/switch-command.js')).switchCommand('on'),
  off: async () => (await import('./commands/switch-command.js')).switchCommand('off'),
  promote: async () => (await import('./commands/promote-command.js')).promoteCommand(),
  demote: async () => (await import('./commands/demote-command.js')).demoteCommand(),
  log: async () => (await import('./commands/log-command.js')).logCommand(),
  index: async () => (await import('./commands/index-command.js')).indexCommand(),
  demo: async () => (await import('./commands/demo.js')).demoCommand(),
};
const name = process.argv[2] ?? '';
const called = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;

/** How long a read that nobody wants any more may keep the process. */
const LINGER_MS = 500;

main();

async function main(): Promise<void> {
  try {
    for (const load of called ? [called] : Object.values(COMMANDS)) {
      program.addCommand((await load()).copyInheritedSettings(program));
    }
    await program.parseAsync();
  } catch (error) {
    process.exitCode = endOf(error);
  }
  const exitCode = Number(process.exitCode ?? EXIT.ok);
  if (Patience.anyStuck) endWithoutWaiting(exitCode);
  // A run that was interrupted, or that failed, may have left a read behind that does not come back.
  if (exitCode !== EXIT.ok) setTimeout(endWithoutWaiting, LINGER_MS, exitCode).unref();
}

/**
 * A thread that hangs in a read of a dead mount cannot be ended, and an ordinary exit would wait for it for ever, with the
 * slave's lock in its hands. By now everything is said; what is left is to be gone. Where Node can become another program,
 * we become one that ends with our exit status; otherwise only the kernel can end us.
 */
function endWithoutWaiting(exitCode: number): void {
  const { execve } = process as { execve?: (file: string, args: readonly string[]) => never };
  if (execve) execve('/bin/sh', ['sh', '-c', `exit ${exitCode}`]);
  process.kill(process.pid, 'SIGKILL');
}

/** Exit status of whatever a command has thrown; says it, unless commander has done so already. */
function endOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  const text =
    error instanceof Error ? (isForeseen(error) ? error.message : (error.stack ?? error.message)) : String(error);
  const hint = hintOf(error);
  writeToStderr(`syncpozo: ${text}\n${hint ? `hint: ${hint}\n` : ''}`);
  return exitOfError(error);
}
