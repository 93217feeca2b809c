#!/usr/bin/env node
import { createRequire } from 'node:module';
import { Command, CommanderError } from 'commander';
import { demoCommand } from './commands/demo.js';
import { EXIT, EXIT_HELP, exitOfError, hintOf } from './commands/exit.js';
import { logCommand } from './commands/log-command.js';
import { statusCommand } from './commands/status-command.js';
import { switchCommand } from './commands/switch-command.js';
import { syncCommand } from './commands/sync-command.js';
import { IoFault } from './io/fault.js';
import { writeToStderr } from './io/sink.js';
import { PathMistake } from './standby/paths.js';
import { SwitchUnclear } from './standby/switch.js';

/**
 * Ends the program. A thread that hangs in a read of a dead mount cannot be ended, and an ordinary exit would wait for
 * it for ever, with the slave's lock in its hands. By then everything is said; what is left is to be gone. Where Node can
 * become another program, we become one that ends with our exit status; otherwise only the kernel can end us.
 */
function finish(exitCode: number, stuck: boolean): void {
  process.exitCode = exitCode;
  if (!stuck) return;
  const { execve } = process as { execve?: (file: string, args: readonly string[]) => never };
  if (execve) execve('/bin/sh', ['sh', '-c', `exit ${exitCode}`]);
  process.kill(process.pid, 'SIGKILL');
}

const { version } = createRequire(import.meta.url)('../../package.json') as { version: string };

const program = new Command('syncpozo')
  .description("Keeps a warm standby of a Zope or Plone site's Data.fs, exact to the byte.")
  .version(version, '-V, --version')
  .showHelpAfterError('(--help tells the options)')
  .addHelpText('after', EXIT_HELP)
  .exitOverride();
for (const command of [
  syncCommand(finish),
  statusCommand(),
  switchCommand('on'),
  switchCommand('off'),
  logCommand(),
  demoCommand(),
]) {
  program.addCommand(command.copyInheritedSettings(program));
}

// Whoever reads our output may have seen enough (`| head`): that is no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = endOf(error);
}

/** Exit status of whatever a command has thrown; says it, unless commander has done so already. */
function endOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  const foreseen = error instanceof IoFault || error instanceof PathMistake || error instanceof SwitchUnclear;
  const text = error instanceof Error ? (foreseen ? error.message : (error.stack ?? error.message)) : String(error);
  const hint = hintOf(error);
  writeToStderr(`syncpozo: ${text}\n${hint ? `hint: ${hint}\n` : ''}`);
  return exitOfError(error);
}
