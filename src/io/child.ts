import { spawn } from 'node:child_process';

/**
 * What another program prints, if it ends well in time; undefined otherwise. It is killed then and not waited for: it may
 * hang in a read that nobody can end, which is why it is another program.
 */
export function outputInTime(
  program: string,
  args: readonly string[],
  milliseconds: number,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'] });
    let output = '';
    const end = (result: string | undefined): void => {
      clearTimeout(timer);
      child.kill('SIGKILL');
      child.stdout.destroy();
      child.unref();
      resolve(result);
    };
    const timer = setTimeout(() => end(undefined), milliseconds);
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    child.once('error', () => end(undefined));
    child.once('close', (status) => end(status === 0 ? output : undefined));
  });
}

/**
 * Starts a shell command that goes on by itself, whatever becomes of us. What it prints is not kept: with our outputs in its
 * hands, whoever waits for their end would wait for the command. Returns its process id; undefined where it could not be
 * started.
 */
export function startShell(command: string, environment: Readonly<Record<string, string>>): number | undefined {
  const child = spawn('/bin/sh', ['-c', command], {
    stdio: 'ignore',
    env: { ...process.env, ...environment },
    detached: true,
  });
  child.once('error', () => {});
  child.unref();
  return child.pid;
}
