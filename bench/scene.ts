import { spawnSync } from 'node:child_process';
import { closeSync, fdatasyncSync, mkdirSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { Fixture } from './fixture/fixture.js';
import { SITE } from './fixture/options.js';
import { type Peers, SYNCPOZO } from './peers.js';
import { type Contender, must, WrongResult } from './race.js';

/** Where the files are: in memory (tmpfs), on a disk, or the master behind a slow mount. Never compared with each other. */
export type Medium = 'memory' | 'disk' | 'network';

/** Of the fixture, the share that a pack has been over. */
const PACKED_SHARE = 0.25;

/** `from`: another path of the master's directory. */
type SyncDetails = Partial<Contender> & { readonly options?: readonly string[]; readonly from?: string };

/** Lets a fixture's file grow to about so many bytes, durably. */
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

/** A master and its slave, in a directory of their own. */
export class Pair {
  readonly masterDirectory: string;
  readonly slaveDirectory: string;
  readonly master: string;
  readonly slave: string;
  private readonly fixture: Fixture;
  private readonly statusFile: string;

  /** Makes a master of about `bytes`. */
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

  /** Lets the master commit so many bytes more, durably. */
  grow(bytes: number): void {
    growFile(this.master, this.fixture, this.bytes + bytes);
  }

  /** A contender that syncs; it has to report this action, and to leave the slave equal to the master. */
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

  /** Brings the slave in step, untimed. */
  syncNow(): void {
    must([...SYNCPOZO, 'sync', '--quiet', '--status-file', this.statusFile, this.masterDirectory, this.slaveDirectory]);
  }

  /** Removes the slave and all that belongs to it. */
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

/** Everything that a row needs: a pair of the size that is measured, and a small one beside it. */
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

  /** A pair of this size, in step; it is kept as long as the scene. */
  small(bytes: number): Pair {
    if (!this.smallPair) {
      this.smallPair = new Pair(join(this.directory, 'small'), bytes, this.peers);
      this.smallPair.syncNow();
    }
    return this.smallPair;
  }

  /** A place for a peer's files. */
  path(...names: readonly string[]): string {
    return join(this.directory, ...names);
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Takes a file's pages out of the page cache, by posix_fadvise: the next read of it comes from the disk. */
export function dropFromCache(path: string): void {
  must(['dd', `of=${path}`, 'oflag=nocache', 'conv=notrunc,fdatasync', 'count=0', 'status=none']);
}
