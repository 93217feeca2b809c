import { type ChildProcess, spawn } from 'node:child_process';
import { IoFault } from './fault.js';

/** A program to run without a shell. */
export interface Program {
  /** Absolute path of the program, and its arguments. */
  readonly command: readonly [string, ...string[]];
  /** What it gets on standard input. It need not read it. */
  readonly input: string;
  /** Variables beside those of this process. */
  readonly environment: Readonly<Record<string, string>>;
  readonly seconds: number;
}

/** How a program ended, with the end of what it has printed on both outputs. */
export type ProgramEnd =
  | { readonly kind: 'exit'; readonly status: number; readonly output: string }
  | { readonly kind: 'signal'; readonly signal: string; readonly output: string }
  /** It was ended after its time. */
  | { readonly kind: 'timeout'; readonly output: string }
  | { readonly kind: 'not started'; readonly fault: IoFault };

/** Between SIGTERM and SIGKILL. */
const GRACE_MS = 2000;
/** From the end of a program until its outputs are left: a process that it has started may keep them open. */
const LAST_OUTPUT_MS = 200;
/** From SIGKILL until the process is left behind: it may hang in the kernel. */
const KILLED_MS = 1000;
const OUTPUT_BYTES = 8192;

/**
 * Runs a program in its own process group, in the directory /. After its time the whole group gets SIGTERM and then SIGKILL.
 * All that it prints is read, and the end of it is kept. Throws nothing. After `release` it no longer keeps this process from
 * ending, and goes on by itself if that ends.
 */
export function runProgram(program: Program, release?: AbortSignal): Promise<ProgramEnd> {
  return new Promise((resolve) => {
    const child = start(program, 'pipe');
    if (child instanceof IoFault) return resolve({ kind: 'not started', fault: child });
    const output = new LastBytes(OUTPUT_BYTES);
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (bytes: Buffer) => output.add(bytes));
    let timedOut = false;
    let timer = setTimeout(() => {
      timedOut = true;
      killGroup(child, 'SIGTERM');
      timer = setTimeout(() => {
        killGroup(child, 'SIGKILL');
        timer = setTimeout(() => end(null, null), KILLED_MS);
      }, GRACE_MS);
    }, program.seconds * 1000);
    const end = (status: number | null, signal: string | null): void => {
      clearTimeout(timer);
      for (const stream of child.stdio) stream?.destroy();
      child.unref();
      const text = output.text();
      if (timedOut) resolve({ kind: 'timeout', output: text });
      else if (status === null) resolve({ kind: 'signal', signal: signal ?? 'SIGKILL', output: text });
      else resolve({ kind: 'exit', status, output: text });
    };
    child.once('error', (error) => {
      clearTimeout(timer);
      resolve({ kind: 'not started', fault: IoFault.from(error, 'run', program.command[0]) });
    });
    child.once('exit', (status, signal) => {
      clearTimeout(timer);
      // What it has left behind in its group would go on after the limit.
      if (timedOut) killGroup(child, 'SIGKILL');
      timer = setTimeout(() => end(status, signal), LAST_OUTPUT_MS);
    });
    child.once('close', end);
    const free = (): void => {
      for (const held of [child, timer, ...child.stdio]) if (held && 'unref' in held) (held as Released).unref();
    };
    if (release?.aborted) free();
    release?.addEventListener('abort', free, { once: true });
  });
}

interface Released {
  unref(): void;
}

/**
 * Starts a program that outlives this process: `timeout` of coreutils ends it after its time. Its output is discarded.
 * Returns the process id once the program has its input; throws an IoFault if it cannot be started.
 */
export async function startProgram(program: Program): Promise<number> {
  const limit = ['timeout', '-k', String(GRACE_MS / 1000), String(program.seconds)] as const;
  const child = start({ ...program, command: [...limit, ...program.command] }, 'ignore');
  if (child instanceof IoFault) throw child;
  await new Promise<void>((resolve, reject) => {
    child.once('error', (error) => reject(IoFault.from(error, 'run', 'timeout')));
    // Fits into the pipe, so it is written whether the program reads it or not.
    child.stdin?.once('close', resolve);
  });
  child.unref();
  if (child.pid === undefined) throw new IoFault('run', program.command[0], 'EUNKNOWN', 'it has no process id');
  return child.pid;
}

function start({ command, input, environment }: Program, output: 'pipe' | 'ignore'): ChildProcess | IoFault {
  const [path, ...args] = command;
  try {
    const child = spawn(path, args, {
      stdio: ['pipe', output, output],
      env: { ...process.env, ...environment },
      cwd: '/',
      detached: true,
    });
    // EPIPE: it does not read its input.
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
    return child;
  } catch (error) {
    return IoFault.from(error, 'run', path);
  }
}

function killGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // The group has ended.
  }
}

/** The last bytes of a stream, in bounded memory. */
class LastBytes {
  private bytes: Buffer = Buffer.alloc(0);

  constructor(private readonly most: number) {}

  add(more: Buffer): void {
    this.bytes = Buffer.concat([this.bytes, more.subarray(-this.most)]).subarray(-this.most);
  }

  text(): string {
    return this.bytes.toString('utf8');
  }
}
