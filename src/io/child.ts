import { spawn } from 'node:child_process';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';

/** Characters of a program's standard error that are kept. */
const MOST_OF_ERRORS = 500;

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
  return readInTime(program, args, milliseconds, {
    enough: () => undefined,
    atEnd: (output, status) => (status === 0 ? output : undefined),
  });
}

/**
 * The first line that a program writes to standard output, whatever its exit status is; undefined without one before the
 * deadline. The program is killed then, at the latest: it may hang at its end, in a read that it has given up.
 */
export function firstLineInTime(
  program: string,
  args: readonly string[],
  milliseconds: number,
): Promise<string | undefined> {
  return readInTime(program, args, milliseconds, {
    enough(output) {
      const length = output.indexOf('\n');
      return length >= 0 ? output.slice(0, length) : undefined;
    },
    atEnd: () => undefined,
  });
}

interface Reading {
  /** The result, as soon as the output so far has it. */
  readonly enough: (output: string) => string | undefined;
  readonly atEnd: (output: string, status: number | null) => string | undefined;
}

function readInTime(
  program: string,
  args: readonly string[],
  milliseconds: number,
  { enough, atEnd }: Reading,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'] });
    let output = '';
    const end = (result: string | undefined): void => {
      clearTimeout(timer);
      child.kill('SIGKILL');
      pipe?.destroy();
      child.unref();
      resolve(result);
    };
    const timer = setTimeout(() => end(undefined), milliseconds);
    child.once('error', () => end(undefined));
    child.once('close', (status) => end(atEnd(output, status)));
    const pipe = pipeOf(child.stdout);
    pipe?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      const found = enough(output);
      if (found !== undefined) end(found);
    });
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

/**
 * Runs a program with this environment and no other, without input. Resolves to what went wrong, with the end of what it wrote to
 * standard error; undefined after status 0. After the time limit it is killed. Neither keeps this process alive.
 */
export function endInTime(
  program: string,
  args: readonly string[],
  milliseconds: number,
  environment: NodeJS.ProcessEnv,
): Promise<string | undefined> {
  return new Promise<string | undefined>((resolve) => {
    const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'], env: environment });
    let errors = '';
    const end = (fault: string | undefined): void => {
      clearTimeout(timer);
      resolve(fault);
    };
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      end(`${program} has not ended after ${milliseconds / 1000} s`);
    }, milliseconds).unref();
    child.once('error', (error) => end(error.message));
    child.once('close', (status, signal) => {
      const how = `${program} ended with ${signal ?? `status ${status}`}`;
      end(status === 0 ? undefined : errors.trim() === '' ? how : `${how}: ${errors.trim()}`);
    });
    child.unref();
    const pipe = pipeOf(child.stderr);
    pipe?.unref();
    pipe?.setEncoding('utf8').on('data', (text: string) => {
      errors = (errors + text).slice(-MOST_OF_ERRORS);
    });
  }).catch((error: unknown) => `${program} cannot be started: ${error instanceof Error ? error.message : error}`);
}

/** Without a free descriptor a child has no pipe, whatever the type says; its `error` follows. */
function pipeOf(stream: Readable): Socket | undefined {
  return stream instanceof Socket ? stream : undefined;
}
