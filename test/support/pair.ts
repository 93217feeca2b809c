import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type Run, Running, type RunOptions, syncpozo } from './cli.js';
import { Site, steadyClock, withTempDir } from './site.js';

/** A master with a site in it, an empty slave directory, and their own status file. */
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

  /** Commits each text to its own page on the master, one transaction each. */
  commit(...texts: string[]): void {
    texts.forEach((text, page) => {
      this.site.commit(this.site.pages(new Map([[page + 1, text]])));
    });
  }

  /** Commits to the slave, as a server on it would. Returns the tid. */
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

  /** A first sync, which must succeed. */
  synced(...more: string[]): this {
    const run = this.sync(...more);
    assert.equal(run.exit, 0, run.all);
    return this;
  }

  assertInStep(): void {
    const [slave, master] = [readFileSync(this.slaveFile), readFileSync(this.masterFile)];
    assert.ok(slave.equals(master), 'the slave equals the master');
  }

  /** Asserts that a sync finds nothing to do, and changes no byte except the scrub's progress. */
  assertNothingNew(...more: string[]): void {
    const files = () =>
      listing(this.slave, { times: false }).filter((line) => !/ Data\.fs(\.blobs)?\.scrub /.test(line));
    const before = files();
    const run = this.sync(...more);
    assert.equal(run.exit, 0, run.all);
    assert.equal(run.json.action, 'none', run.all);
    assert.deepEqual(files(), before);
  }

  /** Asserts that the next sync repairs, and that the one after that finds nothing to do. */
  assertRepairs(...more: string[]): void {
    this.synced(...more);
    this.assertInStep();
    this.assertNothingNew(...more);
  }

  /**
   * Runs `action` and asserts that it has not changed the master's and the slave's directory, except for `recorded`, the
   * file in which it records its result.
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
  /** false: without modification times. */
  readonly times?: boolean;
  /**
   * true: includes lock files, whose text names their last holder, and the files of the outcome and of the events, which a
   * run that refuses or fails writes too.
   */
  readonly locks?: boolean;
}

/** The content of a directory, one line per file: kind, name, mode, owner, content, modification time. */
export function listing(directory: string, { times = true, locks = false }: ListingOptions = {}): string[] {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort();
  return names
    .filter((name) => locks || !/\.(lock|outcome|events)$/.test(name))
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
