import { spawnSync } from 'node:child_process';
import { closeSync, fdatasyncSync, mkdirSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { Fixture } from './fixture/fixture.js';
import { SITE } from './fixture/options.js';
import { type Peers, SYNCPOZO } from './peers.js';
import { type Contender, must, WrongResult } from './race.js';

/**
 * Where the files are: in memory (tmpfs), on a disk, or the master behind a slow mount. Media are never compared with
 * each other.
 */
export type Medium = 'memory' | 'disk' | 'network';

/** The share of the fixture that is packed. */
const PACKED_SHARE = 0.25;

/** `from`: another path to the master's directory. */
type SyncDetails = Partial<Contender> & { readonly options?: readonly string[]; readonly from?: string };

/** Grows a fixture's file to about `bytes` bytes, durably. */
export function growFile(path: string, fixture: Fixture, bytes: number): void {
  const fd = openSync(path, 'a');
  try {
    fixture.growTo(bytes, (piece) => {
      for (let done = 0; done < piece.length; ) done += writeSync(fd, piece, done);
    });
    fdatasyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** A master and its slave, in a separate directory. */
export class Pair {
  readonly masterDirectory: string;
  readonly slaveDirectory: string;
  readonly master: string;
  readonly slave: string;
  private readonly fixture: Fixture;
  private readonly statusFile: string;

  /** Creates a master of about `bytes` bytes. */
  constructor(
    directory: string,
    bytes: number,
    private readonly peers: Peers,
  ) {
    this.masterDirectory = join(directory, 'master');
    this.slaveDirectory = join(directory, 'slave');
    this.master = join(this.masterDirectory, 'Data.fs');
    this.slave = join(this.slaveDirectory, 'Data.fs');
    this.statusFile = join(directory, 'status');
    mkdirSync(this.masterDirectory, { recursive: true });
    mkdirSync(this.slaveDirectory);
    this.fixture = new Fixture({ ...SITE, packedUpTo: PACKED_SHARE * bytes });
    this.grow(bytes);
  }

  get bytes(): number {
    return this.fixture.facts.size;
  }

  get objects(): number {
    return this.fixture.facts.objects;
  }

  /** Commits about `bytes` more bytes to the master, durably. */
  grow(bytes: number): void {
    growFile(this.master, this.fixture, this.bytes + bytes);
  }

  /** A contender that syncs. It must report this action and leave the slave equal to the master. */
  sync(name: string, action: string, more: SyncDetails = {}): Contender {
    const { from = this.masterDirectory, options = [], ...rest } = more;
    const scrub = this.peers.optional('sync', '--scrub', '0');
    const common = ['--json', '--quiet', '--status-file', this.statusFile, ...scrub, ...options];
    return {
      name,
      command: [...SYNCPOZO, 'sync', ...common, from, this.slaveDirectory],
      check: (stdout) => {
        const done = (JSON.parse(stdout) as { action: string }).action;
        if (done !== action) throw new WrongResult(`${name}: ${action} was expected, ${done} was done`);
        if (action !== 'none') this.assertSame(this.slave);
      },
      ...rest,
    };
  }

  /** Syncs the slave, untimed. */
  syncNow(): void {
    must([...SYNCPOZO, 'sync', '--quiet', '--status-file', this.statusFile, this.masterDirectory, this.slaveDirectory]);
  }

  /** Removes the slave and all its files. */
  clearSlave(): void {
    rmSync(this.slaveDirectory, { recursive: true, force: true });
    mkdirSync(this.slaveDirectory);
  }

  /** Throws unless the copy equals the master. */
  assertSame(copy: string): void {
    if (spawnSync('cmp', ['-s', this.master, copy]).status !== 0)
      throw new WrongResult(`${copy} is not the master's copy`);
  }
}

/** Everything that a row needs: a pair of the measured size, and a small one. */
export class Scene {
  readonly directory: string;
  readonly pair: Pair;
  private smallPair: Pair | undefined;

  constructor(
    readonly medium: Medium,
    parent: string,
    readonly bytes: number,
    readonly runs: number,
    readonly peers: Peers,
    readonly onRun: (name: string) => void,
  ) {
    this.directory = mkdtempSync(join(parent, 'syncpozo-bench-'));
    this.pair = new Pair(join(this.directory, 'pair'), bytes, peers);
  }

  /** A pair of this size, in step; kept as long as the scene. */
  small(bytes: number): Pair {
    if (!this.smallPair) {
      this.smallPair = new Pair(join(this.directory, 'small'), bytes, this.peers);
      this.smallPair.syncNow();
    }
    return this.smallPair;
  }

  /** A path for a peer's files. */
  path(...names: readonly string[]): string {
    return join(this.directory, ...names);
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Drops a file's pages from the page cache with posix_fadvise, so that the next read comes from the disk. */
export function dropFromCache(path: string): void {
  must(['dd', `of=${path}`, 'oflag=nocache', 'conv=notrunc,fdatasync', 'count=0', 'status=none']);
}
