import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type Run, Running, type RunOptions, syncpozo } from './cli.js';
import { Site, steadyClock, withTempDir } from './site.js';

/** A master with a site in it, a slave's directory that is still empty, and a status file of their own. */
export class Pair {
  readonly clock = steadyClock();
  readonly master: string;
  readonly slave: string;
  readonly statusFile: string;
  site: Site;

  constructor(readonly directory: string) {
    this.master = join(directory, 'master');
    this.slave = join(directory, 'slave');
    this.statusFile = join(directory, 'status');
    mkdirSync(this.master);
    mkdirSync(this.slave);
    this.site = Site.create(this.masterFile, { clock: this.clock });
    this.commit('the first page', 'the second');
  }

  get masterFile(): string {
    return join(this.master, 'Data.fs');
  }

  get slaveFile(): string {
    return join(this.slave, 'Data.fs');
  }

  get dat(): string {
    return join(this.slave, 'Data.fs.dat');
  }

  /** Commits each text to a page of its own on the master, one transaction each. */
  commit(...texts: string[]): void {
    texts.forEach((text, page) => {
      this.site.commit(this.site.pages(new Map([[page + 1, text]])));
    });
  }

  /** Commits to the slave, as a server would that somebody has started on it. Returns the tid. */
  commitToSlave(text: string): bigint {
    const other = Site.open(this.slaveFile, { clock: this.clock });
    const tid = other.commit(other.pages(new Map([[1, text]])));
    other.close();
    return tid;
  }

  /** Arguments of a sync of this pair. */
  syncArgs(...more: string[]): string[] {
    return ['sync', this.master, this.slave, '--json', '--status-file', this.statusFile, ...more];
  }

  sync(...more: string[]): Run {
    return syncpozo(this.syncArgs(...more));
  }

  syncWith(options: RunOptions, ...more: string[]): Run {
    return syncpozo(this.syncArgs(...more), options);
  }

  startSync(...more: string[]): Running {
    return Running.start(this.syncArgs(...more));
  }

  /** A first sync that has to succeed, so that there is a slave to begin with. */
  synced(...more: string[]): this {
    const run = this.sync(...more);
    assert.equal(run.exit, 0, run.all);
    return this;
  }

  assertInStep(): void {
    const [slave, master] = [readFileSync(this.slaveFile), readFileSync(this.masterFile)];
    assert.ok(slave.equals(master), 'the slave equals the master');
  }

  /** Asserts that a sync finds nothing to do, and that it leaves every byte as it is, but how far the scrub has come. */
  assertNothingNew(...more: string[]): void {
    const files = () => listing(this.slave, { times: false }).filter((line) => !line.includes(' Data.fs.scrub '));
    const before = files();
    const run = this.sync(...more);
    assert.equal(run.exit, 0, run.all);
    assert.equal(run.json.action, 'none', run.all);
    assert.deepEqual(files(), before);
  }

  /** Asserts that the next sync heals, and that the one after that finds nothing to do. */
  assertHeals(...more: string[]): void {
    this.synced(...more);
    this.assertInStep();
    this.assertNothingNew(...more);
  }

  /**
   * Runs `action` and asserts that it has left the master's and the slave's directory exactly as they were; but for `recorded`, the
   * name of a file in which it records what it has found.
   */
  unchanged<T>(action: () => T, recorded?: string): T {
    const isRecord = (line: string): boolean => recorded !== undefined && line.startsWith(`file ${recorded} `);
    const both = () => [listing(this.master), listing(this.slave).filter((line) => !isRecord(line))];
    const before = both();
    const result = action();
    assert.deepEqual(both(), before);
    return result;
  }
}

export async function withPair(use: (pair: Pair) => void | Promise<void>): Promise<void> {
  await withTempDir(async (directory) => {
    chmodSync(directory, 0o755);
    const pair = new Pair(directory);
    try {
      await use(pair);
    } finally {
      pair.site.close();
    }
  });
}

export interface ListingOptions {
  /** false: modification times are left out. */
  readonly times?: boolean;
  /**
   * true: lock files are listed as well, whose text names the process that had them last, and the records of outcomes,
   * which a run that refuses or fails writes too.
   */
  readonly locks?: boolean;
}

/** All that a directory holds, a line a file: kind, name, mode, owner, contents, time of modification. */
export function listing(directory: string, { times = true, locks = false }: ListingOptions = {}): string[] {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort();
  return names
    .filter((name) => locks || !/\.(lock|outcome)$/.test(name))
    .map((name) => describe(join(directory, name), name, times));
}

function describe(path: string, name: string, times: boolean): string {
  const stats = lstatSync(path, { bigint: true });
  const owner = `${(stats.mode & 0o7777n).toString(8)} ${stats.uid}:${stats.gid}`;
  if (stats.isDirectory()) return `directory ${name} ${owner}`;
  if (stats.isSymbolicLink()) return `link ${name} to ${readlinkSync(path)}`;
  if (!stats.isFile()) return `other ${name} ${owner}`;
  const hash = createHash('sha256').update(readFileSync(path)).digest('hex');
  return `file ${name} ${owner} ${stats.size} ${hash}${times ? ` ${stats.mtimeNs}` : ''}`;
}
