import { spawnSync } from 'node:child_process';

/** A reason to skip if this machine has no strace or does not permit tracing; otherwise undefined. */
export const needsStrace: string | undefined = missing();

function missing(): string | undefined {
  const probe = spawnSync('strace', ['-f', '--seccomp-bpf', '-e', 'trace=openat', '-o', '/dev/null', 'true'], {
    encoding: 'utf8',
  });
  if (probe.error) return 'needs strace (Debian and Ubuntu: apt install strace)';
  return probe.status === 0 ? undefined : `needs the right to trace: ${probe.stderr.trim()}`;
}

/** The fault for the `when`-th call `call` of a thread on the path. */
export interface Injection {
  readonly call: string;
  readonly path: string;
  readonly when: number;
  /** In strace's syntax: `error=EIO`, `signal=SIGKILL`, `delay_enter=500ms`. */
  readonly what: string;
}

export interface Tracing {
  /** The output file of strace. */
  readonly log: string;
  readonly calls: readonly string[];
  /** Only calls on these paths; without it, all. */
  readonly paths?: readonly string[];
  /** The number of bytes to print of each string. */
  readonly stringLength?: number;
}

/** Prefix of a command line that runs it under strace. */
export function traced({ log, calls, paths = [], stringLength = 0 }: Tracing): string[] {
  const filter = paths.flatMap((path) => ['-P', path]);
  const what = ['-e', `trace=${calls.join(',')}`];
  return ['strace', '-f', '-q', '-y', '-s', String(stringLength), '-o', log, ...what, ...filter];
}

export function injected(injection: Injection, tracing: Tracing): string[] {
  const { call, path, when, what } = injection;
  // strace counts only calls that pass its filters, so there is exactly one path.
  const calls = [...new Set([...tracing.calls, call])];
  const command = [...traced({ ...tracing, calls, paths: [path] }), '-e', `inject=${call}:${what}:when=${when}`];
  // Makes tracing three times as fast; with it, strace 6.1 delivers no signals.
  return what.startsWith('signal=') ? command : [...command, '--seccomp-bpf'];
}

/** With one thread in its pool the order of calls depends on the program alone. */
export const ONE_THREAD = { UV_THREADPOOL_SIZE: '1' };
