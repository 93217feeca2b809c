import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseDat } from '../../src/standby/dat.js';
import { inodeOf } from '../crash/record.js';
import { Random } from '../support/random.js';
import { withTempDir } from '../support/site.js';
import { Generations } from '../zodb/generations.js';
import type { Judge } from '../zodb/judge.js';
import { Clients, untilItHasTransactions } from '../zodb/live.js';
import { Zeo } from '../zodb/zeo.js';
import { ChaosBlobs } from './blobs.js';
import { type Fate, type Met, syncUnder } from './victim.js';

export interface ChaosOptions {
  readonly seconds: number;
  readonly seed: string;
  readonly print: (line: string) => void;
}

const FATES: readonly Fate[] = ['none', 'killed', 'killed', 'killed', 'killed', 'ended', 'stopped'];
const FULL_COMPARE_EVERY_MS = 60_000;
const LONGEST_PAUSE_MS = 300;
const OTHERS_PACKED = /was exchanged for another file while it was read/;

/**
 * The fault model: a real ZEO server with writers, aborts, undos and packs; repeated syncs, most of them killed at a random
 * moment. After each sync the slave must show a state that the master has had, with all its blobs, and its claim must be true; every
 * minute the server is stopped briefly, and the slave must equal the master byte for byte.
 */
export async function chaos(judge: Judge, options: ChaosOptions): Promise<string> {
  return withTempDir(async (directory) => {
    for (const name of ['master', 'slave', 'slave-blobs']) mkdirSync(join(directory, name));
    const random = new Random(createHash('sha256').update(options.seed).digest().readInt32LE());
    const file = join(directory, 'master', 'Data.fs');
    const blobs = new ChaosBlobs(join(directory, 'master-blobs'), join(directory, 'slave-blobs'));
    const zeo = await Zeo.start({ directory, file, packKeepOld: random.below(2) === 0, blobs: blobs.master });
    const clients = new Clients(directory, zeo.port, options.seed, blobs.master);
    try {
      await untilItHasTransactions(judge, file);
      return await new Chaos(judge, directory, zeo, clients, blobs, random, options).run();
    } finally {
      zeo.process.child.kill('SIGCONT');
      await clients.end();
      await zeo.end();
      await blobs.close();
    }
  });
}

class Chaos {
  private readonly master: string;
  private readonly slave: string;
  private readonly beside: string;
  private readonly generations: Generations;
  private readonly counts = new Map<string, number>();
  private syncs = 0;
  private compares = 0;
  private largest = 0;
  private keptAside = 0;
  /** The last generation seen on the slave; earlier ones are gone. */
  private generation = 0;

  constructor(
    private readonly judge: Judge,
    private readonly directory: string,
    private readonly zeo: Zeo,
    private readonly clients: Clients,
    private readonly blobs: ChaosBlobs,
    private readonly random: Random,
    private readonly options: ChaosOptions,
  ) {
    this.master = join(directory, 'master', 'Data.fs');
    this.beside = join(directory, 'slave');
    this.slave = join(this.beside, 'Data.fs');
    this.generations = new Generations(this.master, directory);
  }

  async run(): Promise<string> {
    const began = Date.now();
    let compared = began;
    try {
      while (Date.now() < began + this.options.seconds * 1000) {
        this.clients.revive();
        await this.round(this.random.pick(FATES));
        await sleep(this.random.below(LONGEST_PAUSE_MS));
        if (Date.now() < compared + FULL_COMPARE_EVERY_MS) continue;
        await this.compareAll();
        compared = Date.now();
      }
      await this.compareAll();
    } finally {
      this.generations.stop();
    }
    return this.summary();
  }

  private async round(fate: Fate): Promise<Met> {
    const what = `sync ${this.syncs} (seed ${this.options.seed})`;
    const oldest = this.generations.probe();
    const before = await this.judge.read(this.generations.pathOf(oldest));
    const met = await syncUnder(this.random, fate, {
      master: join(this.directory, 'master'),
      slave: this.beside,
      blobs: `${this.blobs.master}:${this.blobs.slave}`,
      statusFile: join(this.directory, 'status'),
    });
    this.syncs++;
    this.count(endingOf(met, what));
    // What an attempt has copied that came to nothing stays, like that of a killed run, if the old slave is kept, or there is none.
    const leftCopies =
      /starting over/.test(met.output) && /the old slave is kept|there is no slave yet/.test(met.output);
    const shown = await this.assertShown(met.signal !== null || leftCopies, `${what}\n${met.output}`);
    this.assertClaim(`${what}\n${met.output}`);
    if (met.exit === 0) {
      assert.ok(this.generation >= oldest, `${what}: the slave is of a generation that was gone before\n${met.output}`);
      if (this.generation === oldest && !('error' in before)) {
        assert.ok(shown >= before.committedEnd, `${what}: ${shown} of ${before.committedEnd} bytes\n${met.output}`);
      }
      await this.judge.assertComplete(this.slave, what);
    }
    this.generations.forgetBefore(this.generation);
    return met;
  }

  /** The bytes that ZODB shows of the slave are a prefix of a generation of the master. Returns their length. */
  private async assertShown(isKilled: boolean, what: string): Promise<number> {
    if (!existsSync(this.slave)) {
      await this.blobs.assertShown(this.slave, 0, isKilled, what);
      return 0;
    }
    const verdict = await this.judge.read(this.slave);
    assert.ok(!('error' in verdict), `${what}: ${JSON.stringify(verdict)}`);
    const shown = readFileSync(this.slave).subarray(0, verdict.committedEnd);
    this.generation = this.generations.find(shown, this.generation);
    this.largest = Math.max(this.largest, shown.length);
    await this.blobs.assertShown(this.slave, shown.length, isKilled, what);
    return shown.length;
  }

  /** If there is a `.dat`, it is complete, and the claimed bytes exist and are shown. */
  private assertClaim(what: string): void {
    if (!existsSync(`${this.slave}.dat`)) return;
    const parsed = parseDat(readFileSync(`${this.slave}.dat`, 'utf8'));
    if (!('dat' in parsed)) return assert.fail(`${what}: the .dat is not complete: ${parsed.problem}`);
    const { claim, slaveInode } = parsed.dat;
    if (slaveInode !== inodeOf(this.slave)) return;
    const claimed = readFileSync(this.slave).subarray(0, claim.position);
    assert.equal(claimed.length, claim.position, `${what}: the slave has what is claimed`);
    this.generations.find(claimed, this.generation);
  }

  /** With the server stopped: one undisturbed sync makes the slave equal the master, and a second has nothing to do. */
  private async compareAll(): Promise<void> {
    const what = `full compare ${this.compares} (seed ${this.options.seed})`;
    const { child } = this.zeo.process;
    child.kill('SIGSTOP');
    try {
      const first = await this.round('none');
      assert.equal(first.exit, 0, `${what}: ${first.output}`);
      const end = await this.judge.read(this.master);
      assert.ok(!('error' in end), `${what}: ${JSON.stringify(end)}`);
      await this.judge.assertSlave(this.slave, readFileSync(this.master).subarray(0, end.committedEnd), what);
      // Blobs that were packed away stay as long as an old slave is kept aside.
      this.clearAside();
      const tidied = await this.round('none');
      assert.equal(tidied.exit, 0, `${what}: ${tidied.output}`);
      const second = await this.round('none');
      assert.deepEqual([second.exit, second.action], [0, 'none'], `${what}: ${second.output}`);
      await this.judge.assertServes(this.slave, what);
      await this.blobs.assertInStep(this.slave, what);
      const strange = readdirSync(this.beside).filter(
        (name) =>
          !/^Data\.fs(\.dat|\.lock|\.outcome|\.events|\.role|\.scrub|\.index|\.blobs|\.blobs\.scrub)?$/.test(name),
      );
      assert.deepEqual(strange, [], `${what}: nothing is left behind`);
    } finally {
      child.kill('SIGCONT');
    }
    this.compares++;
    this.options.print(`full compare ${this.compares}: equal, ${this.summary()}`);
  }

  private count(ending: string): void {
    this.counts.set(ending, (this.counts.get(ending) ?? 0) + 1);
  }

  /** A pack may have dropped the slave's last transaction: then the old file is kept, for an operator to remove. */
  private clearAside(): void {
    for (const name of readdirSync(this.beside).filter((each) => each.includes('.only-here-'))) {
      rmSync(join(this.beside, name));
      this.keptAside++;
    }
  }

  private summary(): string {
    const endings = [...this.counts].sort().map(([ending, count]) => `${ending} ${count}`);
    return [
      `${this.syncs} syncs (${endings.join(', ')})`,
      `${this.generations.count - 1} packs seen`,
      `largest slave ${this.largest} bytes`,
      `${this.keptAside} old slaves kept aside`,
      this.blobs.summary(),
      `${this.clients.deaths} clients died`,
      `${this.compares} full compares`,
    ].join(', ');
  }
}

/** How a sync ended, for the summary; fails on an unexpected end. */
function endingOf({ fate, signal, exit, action, reason, output }: Met, what: string): string {
  if (fate === 'killed' && signal === 'SIGKILL') return 'killed';
  // Before the program listens, SIGTERM ends it at once.
  if (fate === 'ended' && (signal === 'SIGTERM' || /interrupted by a signal/.test(reason))) return 'ended';
  if (exit === 1 && OTHERS_PACKED.test(reason)) return 'packed too often';
  assert.equal(exit, 0, `${what}: exit status\n${output}`);
  return action;
}
