import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { basename, dirname, join } from 'node:path';
import type { BlobId, Layout } from '../../src/blobs/layout.js';
import { type BlobPair, withBlobPair } from './blob-pair.js';
import { assertEnd, type Expected, type Run } from './cli.js';
import { listing } from './pair.js';

/** What no file of the slave may ever hold. */
const SENTINEL = 'the sentinel, which is outside of both trees';
/** As long as the sentinel: only the bytes differ. */
const CONTENT = SENTINEL.replaceAll(/[a-z]/g, 'x');

export interface Attack {
  readonly name: string;
  readonly spoil: (scene: HostileScene) => void | Promise<void>;
  readonly expected: Expected;
}

/**
 * A synced pair with one blob more on the master, and sentinels outside of both trees. What an attack puts in the place
 * of something is taken away behind it.
 */
export class HostileScene {
  readonly outside: string;
  private readonly aside: string;
  private undo: (() => void)[] = [];

  constructor(
    readonly pair: BlobPair,
    readonly first: BlobId,
    readonly id: BlobId,
  ) {
    this.outside = join(pair.directory, 'outside');
    this.aside = join(pair.directory, 'aside');
    mkdirSync(this.outside);
    mkdirSync(this.aside);
    writeFileSync(this.secret, SENTINEL);
    // A directory that could be the blob's: a link to it leads to a file with the blob's name.
    mkdirSync(this.outsideDirectory);
    writeFileSync(join(this.outsideDirectory, basename(pair.onMaster(id))), SENTINEL);
  }

  get secret(): string {
    return join(this.outside, 'secret');
  }

  get outsideDirectory(): string {
    return join(this.outside, 'directory');
  }

  /** Puts something else at a path, or in the place of nothing. */
  put(path: string, make: (path: string) => void): void {
    const kept = join(this.aside, String(this.undo.length));
    const wasThere = lstatSync(path, { throwIfNoEntry: false }) !== undefined;
    const made: string[] = [];
    for (let directory = dirname(path); !existsSync(directory); directory = dirname(directory)) made.push(directory);
    mkdirSync(dirname(path), { recursive: true });
    if (wasThere) renameSync(path, kept);
    this.undo.push(() => {
      rmSync(path, { recursive: true, force: true });
      if (wasThere) renameSync(kept, path);
      for (const directory of made) rmSync(directory, { recursive: true, force: true });
    });
    make(path);
  }

  link(path: string, target: string): void {
    this.put(path, () => symlinkSync(target, path));
  }

  pipe(path: string): void {
    this.put(path, () => execFileSync('mkfifo', [path]));
  }

  async socket(path: string): Promise<void> {
    // The path itself may be too long for the name of a socket.
    const short = join(this.pair.directory, 's');
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(short, resolve));
    this.put(path, () => renameSync(short, path));
    this.undo.push(() => server.close());
  }

  restore(): void {
    for (const step of this.undo.reverse()) step();
    this.undo = [];
  }

  /** Asserts that a run is refused, and that neither tree nor anything outside of them has changed. */
  async assertRefused({ spoil, expected }: Attack, run: () => Run): Promise<void> {
    const outside = listing(this.outside);
    try {
      await spoil(this);
      const before = this.state();
      const done = run();
      assertEnd(done, { ...expected, action: 'failed' });
      assert.notEqual(done.json.hint, null, done.all);
      assert.deepEqual(this.state(), before);
      assert.deepEqual(listing(this.outside), outside);
      this.assertNoSentinel();
    } finally {
      this.restore();
    }
  }

  /** The files of both sides, without times; directories, which a run that fails may have made, do not count. */
  private state(): string[][] {
    const { master, slave, masterBlobs, slaveBlobs } = this.pair;
    return [master, slave, masterBlobs, slaveBlobs].map((path) =>
      lstatSync(path, { throwIfNoEntry: false })?.isDirectory()
        ? listing(path, { times: false }).filter((line) => !line.startsWith('directory '))
        : [`no directory ${path}`],
    );
  }

  /** No file that belongs to the slave holds the sentinel. */
  assertNoSentinel(): void {
    for (const root of [this.pair.slave, this.pair.slaveBlobs]) {
      if (!lstatSync(root, { throwIfNoEntry: false })?.isDirectory()) continue;
      for (const name of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
        const path = join(root, name);
        // The list goes on behind links.
        if (realpathSync(dirname(path)).startsWith(realpathSync(root)) && lstatSync(path).isFile())
          assert.ok(!readFileSync(path).includes(SENTINEL), path);
      }
    }
  }
}

/** All attacks on one scene, one after another; then the blob comes after all. */
export async function withAttacks(layout: Layout, attacks: readonly Attack[], each: EachAttack): Promise<void> {
  await withBlobPair(
    async (pair) => {
      const [first] = pair.commitBlobs('the first blob');
      pair.syncedBlobs();
      const [id] = pair.commitBlobs(CONTENT);
      const scene = new HostileScene(pair, first!, id!);
      for (const attack of attacks) await each(attack.name, () => scene.assertRefused(attack, () => pair.syncBlobs()));
      const run = pair.syncedBlobs();
      assert.equal(run.json.blobs.copied, 1);
      pair.assertSameBlobs([first!, id!]);
      pair.assertInStep();
    },
    { layout },
  );
}

type EachAttack = (name: string, check: () => Promise<void>) => Promise<void>;
