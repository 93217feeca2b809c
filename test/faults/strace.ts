import { spawnSync } from 'node:child_process';

/** A reason to skip where this machine has no strace, or does not let us trace; undefined where it does. */
export const needsStrace: string | undefined = missing();

function missing(): string | undefined {
  const probe = spawnSync('strace', ['-f', '--seccomp-bpf', '-e', 'trace=openat', '-o', '/dev/null', 'true'], {
    encoding: 'utf8',
  });
  if (probe.error) return 'needs strace (Debian and Ubuntu: apt install strace)';
  return probe.status === 0 ? undefined : `needs the right to trace: ${probe.stderr.trim()}`;
}

/** What to do at the `when`-th of a thread's calls `call` on the path. */
export interface Injection {
  readonly call: string;
  readonly path: string;
  readonly when: number;
  /** strace's words for it: `error=EIO`, `signal=SIGKILL`, `delay_enter=500ms`. */
  readonly what: string;
}

export interface Tracing {
  /** Where strace writes. */
  readonly log: string;
  readonly calls: readonly string[];
  /** Only calls on these paths; without it, all. */
  readonly paths?: readonly string[];
  /** How much of each string is written. */
  readonly stringLength?: number;
}

/** The program, with its arguments, that a command line is given to: it is run under strace. */
export function traced({ log, calls, paths = [], stringLength = 0 }: Tracing): string[] {
  const filter = paths.flatMap((path) => ['-P', path]);
  const what = ['-e', `trace=${calls.join(',')}`];
  return ['strace', '-f', '-q', '-y', '-s', String(stringLength), '-o', log, ...what, ...filter];
}

export function injected(injection: Injection, tracing: Tracing): string[] {
  const { call, path, when, what } = injection;
  // strace counts those calls only that pass its filters, so there is exactly one path.
  const calls = [...new Set([...tracing.calls, call])];
  const command = [...traced({ ...tracing, calls, paths: [path] }), '-e', `inject=${call}:${what}:when=${when}`];
  // It makes tracing three times as fast; with it, strace 6.1 delivers no signals.
  return what.startsWith('signal=') ? command : [...command, '--seccomp-bpf'];
}

/** One thread of its pool: whose n-th call something is, then hangs on the program alone. */
export const ONE_THREAD = { UV_THREADPOOL_SIZE: '1' };
