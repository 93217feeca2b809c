import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Running } from '../support/cli.js';
import { eventually } from '../support/eventually.js';
import { inProject } from '../support/root.js';
import { withTempDir } from '../support/site.js';
import { python } from '../support/venv.js';

export interface LoadOptions {
  readonly commitsASecond: number;
  readonly seconds: number;
  readonly packEverySeconds: number;
  readonly interval: string;
}

/** What a watch did under load. */
export interface Watched {
  readonly commits: number;
  readonly packs: number;
  /** How many seconds the slave was behind, in ascending order: one sample every 50 ms. */
  readonly behind: readonly number[];
  readonly rebuilds: number;
}

const SAMPLE_MS = 50;

/**
 * A real ZODB commits and packs, a watch follows. The judge of the lag is the writer's own word: a commit that has returned,
 * and whose tid the slave's claim has not reached, is missing since then.
 */
export async function watchUnderLoad(options: LoadOptions): Promise<Watched> {
  return withTempDir(async (directory) => {
    const [master, slave] = [join(directory, 'master'), join(directory, 'slave')];
    for (const each of [master, slave]) mkdirSync(each);
    const { commitsASecond, seconds, packEverySeconds, interval } = options;
    const args = [join(master, 'Data.fs'), commitsASecond, seconds, packEverySeconds].map(String);
    const load = spawn(python(), ['-B', inProject('test', 'zodb', 'watch_load.py'), ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const missing: { readonly tid: string; readonly since: number }[] = [];
    let [commits, packs] = [0, 0];
    createInterface({ input: load.stdout }).on('line', (line) => {
      const said = JSON.parse(line) as { readonly tid?: string; readonly packed?: boolean };
      if (said.packed) packs++;
      if (said.tid === undefined) return;
      commits++;
      missing.push({ tid: said.tid, since: performance.now() });
    });
    const ended = once(load, 'close');
    await once(load.stdout, 'data');
    const statusFile = join(directory, 'status');
    const watch = Running.start([
      'watch',
      master,
      slave,
      '--status-file',
      statusFile,
      '--interval',
      interval,
      '--json',
    ]);
    const behind: number[] = [];
    await eventually('the first copy', () => claimedTid(slave) !== undefined);
    const sampling = setInterval(() => {
      const claimed = claimedTid(slave);
      while (claimed !== undefined && missing[0] && missing[0].tid <= claimed) missing.shift();
      behind.push(missing[0] ? (performance.now() - missing[0].since) / 1000 : 0);
    }, SAMPLE_MS);
    await ended;
    clearInterval(sampling);
    assert.equal(load.exitCode, 0);
    const same = (): boolean => readFileSync(join(slave, 'Data.fs')).equals(readFileSync(join(master, 'Data.fs')));
    await eventually('the slave equals the master', same);
    watch.signal('SIGTERM');
    const run = await watch.end();
    assert.equal(run.exit, 0, run.all);
    const troubles = run.records.filter(({ level }) => level === 'error' || level === 'warn');
    assert.deepEqual(troubles, [], run.all);
    const rebuilds = run.stdout.split('\n').filter((line) => line.includes('"action":"rebuild"')).length;
    return { commits, packs, behind: behind.sort((a, b) => a - b), rebuilds };
  });
}

/** The tid of the slave's claim, by its `.dat` alone; undefined while there is none. */
function claimedTid(slave: string): string | undefined {
  try {
    return /^claim \d+ ([0-9a-f]{16})$/m.exec(readFileSync(join(slave, 'Data.fs.dat'), 'utf8'))?.[1];
  } catch {
    return undefined;
  }
}

/** One line for people: how far behind the slave was. */
export function renderWatched({ commits, packs, rebuilds, behind }: Watched): string {
  const at = (part: number): string => `${(behind[Math.floor((behind.length - 1) * part)] ?? 0).toFixed(2)} s`;
  return `${commits} commits, ${packs} packs, ${rebuilds} rebuilds; behind: median ${at(0.5)}, 99 % ${at(0.99)}, most ${at(1)} (${behind.length} samples)`;
}
