import assert from 'node:assert/strict';
import { existsSync, linkSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { firstDifference } from './judge.js';

/**
 * Keeps every generation of a master by a hard link, so that a slave can be compared with the file that it was copied from,
 * even after a pack has replaced it. The inode of a kept file is not reused, so a new inode is a new generation.
 */
export class Generations {
  private readonly held: { readonly inode: number; readonly path: string }[] = [];
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly master: string,
    private readonly directory: string,
  ) {
    this.probe();
    this.timer = setInterval(() => this.probe(), 10);
  }

  get count(): number {
    return this.held.length;
  }

  /** The number of the newest generation, from 0. */
  probe(): number {
    // During each pack the path is missing for an instant.
    const inode = statSync(this.master, { throwIfNoEntry: false })?.ino;
    if (inode !== undefined && this.held.at(-1)?.inode !== inode) {
      const path = join(this.directory, `generation-${this.held.length}.fs`);
      linkSync(this.master, path);
      const linked = statSync(path).ino;
      if (this.held.at(-1)?.inode === linked) rmSync(path);
      else this.held.push({ inode: linked, path });
    }
    return this.held.length - 1;
  }

  pathOf(generation: number): string {
    return this.held[generation]!.path;
  }

  /** The generation, from `oldest` on, that starts with the slave's bytes; fails if none does. */
  find(slave: Buffer, oldest: number): number {
    this.probe();
    for (let generation = this.held.length - 1; generation >= oldest; generation--) {
      if (readFileSync(this.pathOf(generation)).subarray(0, slave.length).equals(slave)) return generation;
    }
    const apart = this.held.map(({ path }) => (existsSync(path) ? firstDifference(slave, readFileSync(path)) : -1));
    assert.fail(
      `the slave, ${slave.length} bytes, is a prefix of no generation from ${oldest} on; first differences: ${apart.join(' ')}`,
    );
  }

  /** Drops the generations before `oldest`, which no slave will be compared with any more. */
  forgetBefore(oldest: number): void {
    for (const { path } of this.held.slice(0, oldest)) rmSync(path, { force: true });
  }

  stop(): void {
    clearInterval(this.timer);
  }
}
