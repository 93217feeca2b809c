import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Sequence, State } from './corpus.js';
import { due } from './due.js';
import type { Judge } from './judge.js';
import { exchange, overwrite } from './place.js';
import type { Sync, SyncOutcome } from './syncer.js';

/** How often each kind of result was expected. */
export type Counts = Map<string, number>;

/**
 * Takes a master through a sequence of recorded states, with a sync after each, and compares the slave with the expected
 * result. Each replay has one master and one slave directory.
 */
export class Replay {
  private readonly masterDirectory: string;
  private readonly slaveDirectory: string;
  private readonly master: string;
  readonly slave: string;
  private before: Buffer | undefined;

  constructor(
    private readonly directory: string,
    private readonly sync: Sync,
    private readonly judge: Judge,
    private readonly counts: Counts,
  ) {
    this.masterDirectory = join(directory, 'master');
    this.slaveDirectory = join(directory, 'slave');
    this.master = join(this.masterDirectory, 'Data.fs');
    this.slave = join(this.slaveDirectory, 'Data.fs');
    mkdirSync(this.masterDirectory, { recursive: true });
    mkdirSync(this.slaveDirectory, { recursive: true });
  }

  async run(sequence: Sequence): Promise<void> {
    for (const [index, state] of sequence.states.entries()) {
      this.place(state);
      await this.step(state, `${sequence.name}, state ${index} after ${state.after}`);
    }
  }

  /** Another file replaces the master, such as an older backup. */
  async replaceMaster(state: State, how: 'renamed over' | 'written over', what: string): Promise<void> {
    if (how === 'renamed over' || this.before === undefined) exchange(this.master, state.bytes);
    else overwrite(this.master, this.before, state.bytes);
    this.before = state.bytes;
    await this.step(state, what);
  }

  /** The wrong site's file replaces the master: it may look like a pack, but nothing may be lost. */
  async replaceByStranger(state: State, how: 'renamed over' | 'written over', what: string): Promise<void> {
    const held = this.slaveBytes();
    await this.replaceMaster(state, how, what);
    if (!held?.equals(this.slaveBytes()!)) this.assertKeptAside(held, what);
  }

  private place(state: State): void {
    const { before } = this;
    if (before === undefined) writeFileSync(this.master, state.bytes);
    else if (isAnotherFile(before, state)) exchange(this.master, state.bytes);
    else overwrite(this.master, before, state.bytes);
    this.before = state.bytes;
  }

  private async step(state: State, what: string): Promise<void> {
    const held = this.slaveBytes();
    const outcome = await this.call({});
    if (state.committedEnd === undefined) {
      this.count('damaged');
      assert.equal(outcome.exitCode, 4, `${what}: exit status\n${outcome.output}`);
      this.assertUntouched(held, what);
      return;
    }
    const requested = due(state.bytes, state.committedEnd, held);
    this.count(requested.kind);
    assert.equal(
      outcome.exitCode,
      requested.exitCode,
      `${what}: exit status where ${requested.kind} is due\n${outcome.output}`,
    );
    if (requested.exitCode === 0) await this.judge.assertSlave(this.slave, requested.slave!, what);
    else this.assertUntouched(held, what);
    if (requested.keeps) this.assertKeptAside(held, what);
    if (requested.kind === 'parted') await this.forced(state.bytes.subarray(0, state.committedEnd), held, what);
  }

  /** After a refusal --full continues, and keeps the slave's own transactions in a file. */
  private async forced(expected: Buffer, held: Buffer | undefined, what: string): Promise<void> {
    const outcome = await this.call({ full: true });
    assert.equal(outcome.exitCode, 0, `${what}: exit status of --full\n${outcome.output}`);
    await this.judge.assertSlave(this.slave, expected, `${what}, --full`);
    this.assertKeptAside(held, `${what}, --full`);
  }

  private assertKeptAside(held: Buffer | undefined, what: string): void {
    const aside = readdirSync(this.slaveDirectory).filter((name) => name.startsWith('Data.fs.only-here-'));
    const kept = aside.some((name) => readFileSync(join(this.slaveDirectory, name)).equals(held!));
    assert.ok(kept, `${what}: the old slave is kept aside; there are: ${aside.join(' ')}`);
  }

  private call(options: { full?: boolean }): Promise<SyncOutcome> {
    const statusFile = join(this.directory, 'syncPozo.status');
    return this.sync(this.masterDirectory, this.slaveDirectory, { statusFile, ...options });
  }

  private slaveBytes(): Buffer | undefined {
    return existsSync(this.slave) ? readFileSync(this.slave) : undefined;
  }

  private assertUntouched(held: Buffer | undefined, what: string): void {
    const now = this.slaveBytes();
    const same = held === undefined ? now === undefined : now?.equals(held);
    assert.ok(same, `${what}: the slave is untouched`);
  }

  private count(kind: string): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
  }
}

/** A pack and FileStorage(create=True) leave a new file; everything else changes the file in place. */
function isAnotherFile(before: Buffer, { after, bytes }: State): boolean {
  if (after === 'pack') return !bytes.equals(before);
  return after === 'open' && !bytes.subarray(0, before.length).equals(before);
}
