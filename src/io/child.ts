import { spawn } from 'node:child_process';

/**
 * Standard output of a program that exits with status 0 before the deadline; undefined otherwise. On timeout the
 * program is killed and not waited for: it may hang in an uninterruptible read, which is why it runs as a child
 * process.
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
 * Starts a detached shell command that outlives this process. Its output is discarded: if it inherited our outputs,
 * whoever waits for them to close would wait for the command. Returns its process id; undefined when it could not be
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
