import assert from 'node:assert/strict';
import { closeSync, openSync, readSync, rmSync, statSync, writeSync } from 'node:fs';
import { runIndex } from '../../src/commands/index.js';
import { ReadDeadline } from '../../src/pipeline/read-deadline.js';
import { SILENT } from '../../src/report/log.js';
import { runSync, type SyncResult } from '../../src/round/run-sync.js';
import type { ScrubAmount } from '../../src/scrub/round.js';
import { Random } from '../support/random.js';
import { inProject } from '../support/root.js';
import { python } from '../support/venv.js';
import { JsonLines } from './json-lines.js';
import { Pair } from './pair.js';

const SIZES = { windowBytes: 65_536, chunkBytes: 32_768, workers: 0 };
const MAGIC_LENGTH = 4;

type Answer = { readonly problem?: string; readonly loads?: number; readonly indexUsed?: boolean };

export interface RotOptions {
  readonly seed: number;
  readonly events: number;
  /** Also pack the master. */
  /** Also flip bits in the newest chunks of both sides at the same time. */
  readonly newestOnBothSides?: boolean;
  readonly pack: 'never' | 'while intact' | 'at any time';
}

export interface RotCounts {
  readonly judged: number;
  readonly withIndex: number;
  readonly repaired: number;
  readonly refused: number;
}

/**
 * The fault model: a master of real ZODB and its slave, with events in random order: commits, flipped bits on either
 * side, syncs with and without scrub and index, `syncpozo index`, an index that FileStorage builds of the slave as it is, and
 * packs. Bits of the master flip only in copied bytes: of others nobody can know the right value.
 *
 * The judge is the site's own record of its commits: after a run that ends with 0, FileStorage loads every revision from the
 * slave, unless bits of the slave have flipped since the last full read.
 */
class RottenPair {
  private readonly site = new JsonLines(python(), [inProject('test', 'zodb', 'rot_site.py')]);
  private readonly random: Random;
  private readonly story: string[] = [];
  /** Bits of the slave that have flipped since a full scrub. */
  private slaveRotten = false;
  private masterFlips: { readonly at: number; readonly bit: number }[] = [];
  private copied = 0;
  /** The master was packed since its last sync: nobody knows which of its bytes were copied, so none of them flip. */
  private isPacked = false;
  readonly counts = { judged: 0, withIndex: 0, repaired: 0, refused: 0 };

  constructor(
    private readonly pair: Pair,
    private readonly options: RotOptions,
  ) {
    this.random = new Random(options.seed);
  }

  async run(): Promise<RotCounts> {
    await this.ask({ ask: 'open', path: this.pair.master, seed: this.options.seed });
    try {
      await this.commit(60);
      await this.sync('full', 0);
      for (let n = 0; n < this.options.events; n++) await this.event();
      this.repairMaster();
      await this.sync('full', 1);
      await this.sync('full', 1);
      return this.counts;
    } catch (error) {
      throw new Error(`seed ${this.options.seed}: ${this.story.join('; ')}`, { cause: error });
    } finally {
      await this.site.close();
    }
  }

  private async event(): Promise<void> {
    const { random, pair } = this;
    const lag = random.pick([undefined, 1, 1, 100_000]);
    switch (random.below(11)) {
      case 0:
      case 1:
        return this.commit(1 + random.below(8));
      case 2:
      case 3:
        return this.flip('slave');
      case 4:
        return this.flip('master');
      case 5:
        return this.sync(0, lag);
      case 6:
        return this.sync('full', lag);
      case 7:
        return this.index();
      case 8:
        this.note('FileStorage makes an index');
        await this.site.ask({ ask: 'index', path: pair.slave });
        return;
      case 9:
        this.note('index removed');
        return rmSync(`${pair.slave}.index`, { force: true });
      default:
        return this.pack();
    }
  }

  private async commit(count: number): Promise<void> {
    const { committed } = (await this.site.ask({ ask: 'commit', count })) as { readonly committed: number };
    this.note(`${committed} commits`);
  }

  private async pack(): Promise<void> {
    const { pack } = this.options;
    if (pack === 'never') return;
    if (pack === 'while intact') this.repairMaster();
    this.note('pack');
    const { problem } = (await this.site.ask({ ask: 'pack' })) as Answer;
    if (problem) this.note(`which ends with ${problem}`);
    else {
      this.masterFlips = [];
      this.isPacked = true;
    }
  }

  private flip(side: 'slave' | 'master'): void {
    const { random, pair } = this;
    if (side === 'master' && this.isPacked) return;
    for (let count = 1 + random.below(2); count > 0; count--) {
      const size = Math.min(this.copied, statSync(pair[side]).size) / (this.isOtherRotten(side) ? 2 : 1);
      const flip = { at: MAGIC_LENGTH + random.below(Math.floor(size) - MAGIC_LENGTH), bit: random.below(8) };
      flipBit(pair[side], flip);
      this.note(`bit ${flip.bit} at ${flip.at} of the ${side}`);
      if (side === 'slave') this.slaveRotten = true;
      else this.masterFlips.push(flip);
    }
  }

  /**
   * If the newest chunks are wrong on both sides, nobody has the copied bytes. Unless the options ask for it, bits of both
   * sides flip in old chunks only.
   */
  private isOtherRotten(side: 'slave' | 'master'): boolean {
    if (this.options.newestOnBothSides) return false;
    return side === 'slave' ? this.masterFlips.length > 0 : this.slaveRotten;
  }

  /** An administrator repairs the master's disk. */
  private repairMaster(): void {
    for (const flip of this.masterFlips.splice(0)) flipBit(this.pair.master, flip);
    this.note('the master is repaired');
  }

  private async sync(scrub: ScrubAmount, lag: number | undefined): Promise<void> {
    const { master, slave, statusFile } = this.pair;
    const index = lag === undefined ? {} : { indexLagBytes: lag };
    const result: SyncResult = await runSync({ master, slave, statusFile, ...SIZES, scrub, ...index });
    const { exitCode, reason, scrubbed } = result;
    this.note(`sync, scrub ${scrub}, index ${lag}: ${exitCode} ${result.action}`);
    this.counts.repaired += scrubbed?.bad ?? 0;
    if (exitCode === 0) {
      this.copied = statSync(slave).size;
      this.isPacked = false;
      if (scrub === 'full') this.slaveRotten = false;
      return this.judge();
    }
    this.counts.refused++;
    const isPacked = this.options.pack !== 'never';
    // Across a pack a flipped tid of the master looks like another history.
    if (!isPacked || this.masterFlips.length === 0 || exitCode !== 3) assert.equal(exitCode, 4, reason);
    // Several flips of the slave in one chunk, across a pack: no hash says which side is right, and the message does.
    const isUndecided = isPacked && this.slaveRotten && reason.startsWith('the master or the slave is damaged');
    if (!isUndecided) assert.ok(this.masterFlips.length > 0, `the master is intact: ${reason}`);
    if (this.random.below(2) === 0) this.repairMaster();
  }

  private async index(): Promise<void> {
    const { slave } = this.pair;
    const deadline = new ReadDeadline(30);
    const options = { path: slave, file: 'Data.fs', workers: 0, chunkBytes: 50_000, log: SILENT, deadline };
    const { exitCode, reason, action } = await runIndex(options);
    this.note(`index: ${exitCode} ${action}`);
    if (exitCode === 0) return this.judge();
    assert.equal(exitCode, 4, reason);
    assert.ok(this.slaveRotten, `the slave is intact: ${reason}`);
  }

  private async judge(): Promise<void> {
    if (this.slaveRotten || statSync(this.pair.slave).size !== statSync(this.pair.master).size) return;
    const { problem, indexUsed } = (await this.site.ask({ ask: 'check', path: this.pair.slave })) as Answer;
    assert.equal(problem, undefined);
    this.counts.judged++;
    if (indexUsed) this.counts.withIndex++;
  }

  private async ask(question: object): Promise<void> {
    const { problem } = (await this.site.ask(question)) as Answer;
    assert.equal(problem, undefined);
  }

  private note(what: string): void {
    this.story.push(what);
  }
}

function flipBit(path: string, { at, bit }: { readonly at: number; readonly bit: number }): void {
  const fd = openSync(path, 'r+');
  const byte = new Uint8Array(1);
  readSync(fd, byte, 0, 1, at);
  writeSync(fd, Uint8Array.of((byte[0] ?? 0) ^ (1 << bit)), 0, 1, at);
  closeSync(fd);
}

/** Runs this many random events on a master and its slave, and asserts that no run that ends with 0 was wrong. */
export function rotEvents(options: RotOptions): Promise<RotCounts> {
  return Pair.with((pair) => new RottenPair(pair, options).run());
}
