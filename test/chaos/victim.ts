import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { PROGRAM } from '../support/cli.js';
import type { Random } from '../support/random.js';
import { inProject } from '../support/root.js';

const SCRUBS = ['0', '64KiB', '16MiB', 'full'];
const CHUNK_SIZES = ['4KiB', '64KiB', '1MiB', '32MiB'];
/** One in this many syncs rebuilds the slave, whatever its state. */
const FULL_ONE_IN = 25;
const LATEST_KILL_MS = 450;
const LONGEST_STOP_MS = 300;
/** A sync that takes this long hangs. */
const STUCK_AFTER_MS = 60_000;

/** What happens to a sync while it runs. */
export type Fate = 'none' | 'killed' | 'ended' | 'stopped';

export interface Met {
  readonly fate: Fate;
  readonly signal: string | null;
  readonly exit: number | null;
  readonly action: string;
  readonly reason: string;
  readonly output: string;
}

export interface Directories {
  readonly master: string;
  readonly slave: string;
  /** Both blob directories, as `--blobs` names them. */
  readonly blobs: string;
  readonly statusFile: string;
}

/** Runs a sync with settings, clock and fate drawn from `random`. */
export async function syncUnder(
  random: Random,
  fate: Fate,
  { master, slave, blobs, statusFile }: Directories,
): Promise<Met> {
  const clock = random.below(1 << 30);
  const delay = random.below(LATEST_KILL_MS);
  const settings = ['--chunk-size', random.pick(CHUNK_SIZES), '--workers', String(random.below(3))];
  settings.push('--scrub', random.pick(SCRUBS));
  // An undisturbed one may have to show that it has nothing to do.
  if (fate !== 'none' && random.below(FULL_ONE_IN) === 0) settings.push('--full');
  const args = ['sync', master, slave, '--blobs', blobs, '--json', '--status-file', statusFile, ...settings];
  const skew = inProject('dist', 'test', 'chaos', 'skewed-clock.js');
  const child = spawn(process.execPath, ['--import', skew, PROGRAM, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, SYNCPOZO_TEST_CLOCK: String(clock) },
  });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  const ended = once(child, 'close');
  const stuck = setTimeout(() => child.kill('SIGABRT'), STUCK_AFTER_MS);
  if (fate !== 'none') {
    await Promise.race([sleep(delay), ended]);
    if (fate === 'killed') child.kill('SIGKILL');
    if (fate === 'ended') child.kill('SIGTERM');
    if (fate === 'stopped') {
      child.kill('SIGSTOP');
      await sleep(random.below(LONGEST_STOP_MS));
      child.kill('SIGCONT');
    }
  }
  await ended;
  clearTimeout(stuck);
  const { action = 'none reported', reason = '' } = parse(out);
  const output = `${settings.join(' ')}, clock ${clock}, ${fate} after ${delay} ms\n${out}${err}`;
  return { fate, signal: child.signalCode, exit: child.exitCode, action, reason, output };
}

function parse(text: string): { action?: string; reason?: string } {
  try {
    return JSON.parse(text) as { action?: string; reason?: string };
  } catch {
    return {};
  }
}
