import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SILENT } from '../../src/report/log.js';
import { runSync, type SyncOptions, type SyncResult } from '../../src/round/run-sync.js';
import { runTogether, type TogetherResult } from '../../src/round/together.js';
import { slavePaths } from '../../src/standby/paths.js';
import { type Togetherness, togethernessOf } from '../../src/standby/together-file.js';
import { type Run, Running } from '../support/cli.js';
import { inProject } from '../support/root.js';
import { withTempDir } from '../support/site.js';
import { python } from '../support/venv.js';
import { JsonLines } from '../zodb/json-lines.js';
import { Started, Zeo } from '../zodb/zeo.js';

export interface SiteSettings {
  readonly seed: string;
  readonly zeo: boolean;
  /** Processes that write; more than one only with ZEO. */
  readonly writers: number;
  /** Of all of them. */
  readonly threads: number;
  /** Chance of a pause before a tpc_finish, and the longest one in seconds. */
  readonly pauses: number;
  readonly longest: number;
  /** Most seconds between two commits of a thread. */
  readonly rest: number;
  /** Seconds between two packs of one of the two. */
  readonly packEvery: number;
}

export interface Differences {
  readonly error?: string;
  readonly differences?: readonly unknown[];
  /** Commits of both, as the slaves show them. */
  readonly total?: number;
}

/** A site of two storages that real ZODB writes to, and its two slaves. */
export class TwoStorages {
  readonly members: readonly SyncOptions[];
  private readonly judge = new JsonLines(python(), [inProject('test', 'together', 'together_judge.py')]);

  private constructor(private readonly directory: string) {
    const at = (side: string, name: string): string => join(directory, side, name);
    const statusFile = join(directory, 'status');
    const blobs = {
      master: at('master', 'blobs'),
      slave: at('slave', 'blobs'),
      by: 'records',
      way: 'copy',
      keepPacked: false,
    } as const;
    this.members = [
      { master: at('master', 'main.fs'), slave: at('slave', 'main.fs'), statusFile, blobs },
      { master: at('master', 'catalog.fs'), slave: at('slave', 'catalog.fs'), statusFile },
    ];
  }

  /** Calls `use` while the site is written to. */
  static async whileWritten(settings: SiteSettings, use: (site: TwoStorages) => Promise<void>): Promise<void> {
    await withTempDir(async (directory) => {
      for (const side of ['master', 'slave']) mkdirSync(join(directory, side, 'blobs'), { recursive: true });
      const site = new TwoStorages(directory);
      const processes: Started[] = [];
      const files = { main: site.members[0]!.master, catalog: site.members[1]!.master };
      const blobs = join(directory, 'master', 'blobs');
      const another = { name: 'catalog', file: files.catalog };
      const server = { directory, file: files.main, packKeepOld: true, blobs, name: 'main', another };
      const zeo = settings.zeo ? await Zeo.start(server) : undefined;
      try {
        const share = settings.threads / settings.writers;
        for (let writer = 0; writer < settings.writers; writer++) {
          const slice = [writer * share, (writer + 1) * share];
          const told = { ...settings, ...files, blobs, slice, seed: `${settings.seed}-${writer}`, port: zeo?.port };
          const program = inProject('test', 'together', 'two_storages.py');
          const started = new Started(join(directory, `writer-${writer}.log`), python(), [
            program,
            JSON.stringify(told),
          ]);
          processes.push(started);
          for (let waited = 0; !started.output.includes('ready'); waited++) {
            assert.ok(waited < 400 && started.isRunning, `the writer does not begin: ${started.output}`);
            await sleep(50);
          }
        }
        await use(site);
        for (const each of processes) assert.ok(each.isRunning, `a writer has ended: ${each.output}`);
      } finally {
        for (const each of processes) await each.end();
        await zeo?.end();
        await site.judge.close();
      }
    });
  }

  together(): Promise<TogetherResult> {
    return runTogether(this.members, SILENT);
  }

  async eachByItself(): Promise<readonly SyncResult[]> {
    const results: SyncResult[] = [];
    for (const options of this.members) results.push(await runSync(options));
    return results;
  }

  /** A round in a process of its own, which is killed after so many milliseconds, unless it ends before. */
  async killedAfter(milliseconds: number): Promise<boolean> {
    const program = inProject('dist', 'test', 'together', 'one-round.js');
    const child = spawn(process.execPath, [program, JSON.stringify(this.members)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const gone = once(child, 'exit');
    await Promise.race([once(child.stdout, 'data'), gone]);
    await Promise.race([sleep(milliseconds), gone]);
    child.kill('SIGKILL');
    await gone;
    return child.signalCode === 'SIGKILL';
  }

  /** A `syncpozo watch --together` of the group, which SIGTERM ends after so many milliseconds. */
  async watched(milliseconds: number): Promise<Run> {
    const config = join(this.directory, 'syncpozo.yml');
    const [main, catalog] = this.members;
    const storages = [
      `  main: { master: ${main?.master}, slave: ${main?.slave}, group: site, blobs: { master: ${this.directory}/master/blobs, slave: ${this.directory}/slave/blobs } }`,
      `  catalog: { master: ${catalog?.master}, slave: ${catalog?.slave}, group: site }`,
    ];
    writeFileSync(config, `status-file: ${this.directory}/status\nstorages:\n${storages.join('\n')}\n`);
    const watch = Running.start(['watch', '--together', '--config', config, '--interval', '200ms', '--json']);
    await sleep(milliseconds);
    watch.signal('SIGTERM');
    return watch.end();
  }

  /** What real ZODB finds in copies of the slaves. */
  async compare(killed = false): Promise<Differences> {
    const [main, catalog] = this.members.map(({ slave }) => slave);
    const blobs = join(this.directory, 'slave', 'blobs');
    const work = join(this.directory, 'judged');
    return (await this.judge.ask({ main, catalog, blobs, work, killed })) as Differences;
  }

  /** What `status` would say, of each slave. */
  recorded(): readonly Togetherness[] {
    return this.members.map(({ slave }) => togethernessOf(slavePaths(slave, undefined)));
  }
}
