import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { Series, Timing } from './statistics.js';

/** A complete command, timed as a process from its start to its end. */
export interface Contender {
  readonly name: string;
  readonly command: readonly string[];
  /** Not timed. */
  readonly prepare?: () => void;
  /** Checks what the command has done, given its standard output; throws when it is wrong. Not timed. */
  readonly check?: (stdout: string) => void;
}

const TIME = '/usr/bin/time';
const LARGEST_OUTPUT = 64 << 20;

/** A contender failed or gave a wrong result: there is no measurement. */
export class WrongResult extends Error {
  override readonly name = 'WrongResult';
}

/** A person has interrupted the benchmarks. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

/**
 * Runs all contenders in turn, a b c a b c ..., so that other load on the machine affects all of them. A time counts
 * only when the command exits with 0 and its result is correct. A contender that is listed several times runs as often
 * in each turn.
 */
export async function race(
  contenders: readonly Contender[],
  runs: number,
  onRun: (name: string) => void,
): Promise<Series[]> {
  const timings = new Map<string, Timing[]>(contenders.map(({ name }) => [name, []]));
  for (let run = 0; run < runs; run++) {
    for (const contender of contenders) {
      // A signal that arrived during the last run is handled here; onRun throws for it.
      await setImmediate();
      onRun(contender.name);
      contender.prepare?.();
      const { stdout, timing } = runTimed(contender);
      contender.check?.(stdout);
      timings.get(contender.name)?.push(timing);
    }
  }
  return [...timings].map(([name, runsOfIt]) => ({ name, timings: runsOfIt }));
}

/** Runs a command to its end and returns its standard output; throws when it fails. For untimed work. */
export function must(command: readonly string[]): string {
  return run('preparing', command).stdout;
}

function runTimed({ name, command }: Contender): { stdout: string; timing: Timing } {
  if (!existsSync(TIME)) {
    const { stdout, seconds } = run(name, command);
    return { stdout, timing: { seconds, cpuSeconds: undefined, peakBytes: undefined } };
  }
  const directory = mkdtempSync(join(tmpdir(), 'syncpozo-bench-'));
  try {
    const report = join(directory, 'time');
    // A process between Node and the command: otherwise a child's peak memory would include Node's own.
    const { stdout, seconds } = run(name, [TIME, '--quiet', '-f', '%M %U %S', '-o', report, ...command]);
    const [kibibytes = 0, user = 0, system = 0] = readFileSync(report, 'utf8').trim().split(' ').map(Number);
    return { stdout, timing: { seconds, cpuSeconds: user + system, peakBytes: 1024 * kibibytes } };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function run(name: string, command: readonly string[]): { stdout: string; seconds: number } {
  const [program = '', ...args] = command;
  const began = performance.now();
  const ended = spawnSync(program, args, { encoding: 'utf8', maxBuffer: LARGEST_OUTPUT });
  const seconds = (performance.now() - began) / 1000;
  if (ended.error) throw ended.error;
  if (ended.status === 0) return { stdout: ended.stdout, seconds };
  const output = `${ended.stdout}${ended.stderr}`.trim().split('\n').slice(-10).join('\n');
  throw new WrongResult(`${name}: ${command.join(' ')} ended with ${ended.status ?? ended.signal}\n${output}`);
}
