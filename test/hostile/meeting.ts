import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { magicOf, STATUS_PACKED } from '../../src/filestorage/layout.js';
import { formatTid } from '../../src/filestorage/tid.js';
import type { SyncOptions } from '../../src/round/run-sync.js';
import { concat } from '../support/data-fs.js';
import { walkOver } from '../support/walking.js';
import { overwrite } from '../zodb/place.js';
import { type Damage, damaged, damages } from './damage.js';
import { build, type FilePlan, filePlans } from './generate.js';

/**
 * A master and a slave that meet: a history of which the slave once had a part, and the later changes of both.
 */
export interface Meeting {
  readonly plan: FilePlan;
  /** This many of the plan's transactions were on the slave, modulo their number; 0 is no slave at all. */
  readonly shared: number;
  readonly toMaster: readonly Damage[];
  readonly toSlave: readonly Damage[];
  /** false: the slave's `.dat` is lost. */
  readonly dat: boolean;
  /** The master is not the file that the slave was copied from. */
  readonly exchanged: boolean;
  readonly full: boolean;
}

/** The number of bytes that every sync compares at a file's head, and before the claim. */
const QUICK_COMPARE = 65_536;

const few = fc.array(damages, { maxLength: 2 });

export const meetings: fc.Arbitrary<Meeting> = fc.record({
  plan: filePlans(1, 7),
  shared: fc.nat(7),
  toMaster: few,
  toSlave: fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: few }),
  dat: fc.boolean(),
  exchanged: fc.boolean(),
  full: fc.integer({ min: 0, max: 5 }).map((n) => n === 5),
});

export interface Result {
  readonly exitCode: number;
  readonly action: string;
  readonly reason: string;
}

/** One meeting in its own directories, step by step: `before`, a sync, `between`, a sync, `after`, another, `last`. */
export class Stage {
  private readonly master: string;
  private readonly slave: string;
  private masterBytes: Buffer = Buffer.alloc(0);
  private slaveBytes: Buffer | undefined;

  constructor(
    private readonly directory: string,
    private readonly meeting: Meeting,
  ) {
    mkdirSync(join(directory, 'master'), { recursive: true });
    mkdirSync(join(directory, 'slave'));
    this.master = join(directory, 'master', 'Data.fs');
    this.slave = join(directory, 'slave', 'Data.fs');
  }

  options(full = false): SyncOptions {
    const { directory } = this;
    return {
      master: this.master,
      slave: this.slave,
      statusFile: join(directory, 'status'),
      chunkBytes: 300,
      windowBytes: 4096,
      workers: 0,
      full,
    };
  }

  /** Writes the file that the slave is copied from. Returns whether there is such a copy. */
  before(): boolean {
    const { plan, shared } = this.meeting;
    const { bytes, places } = build(plan);
    const count = shared % (plan.transactions.length + 1);
    if (count === 0) return false;
    this.masterBytes = Buffer.from(bytes.slice(0, places[count - 1]!.end));
    writeFileSync(this.master, this.masterBytes);
    return true;
  }

  /** Applies the meeting's changes to both sides. */
  between(): void {
    const { plan, toMaster, toSlave, dat, exchanged } = this.meeting;
    const file = build(plan);
    const master = Buffer.from(toMaster.reduce((bytes, damage) => damaged(bytes, damage, file), file.bytes));
    if (exchanged) rmSync(this.master, { force: true });
    if (existsSync(this.master)) overwrite(this.master, this.masterBytes, master);
    else writeFileSync(this.master, master);
    this.masterBytes = master;
    if (existsSync(this.slave)) {
      const synced = readFileSync(this.slave);
      const spoilt = toSlave.reduce((bytes, damage) => damaged(bytes, damage, file), concat(synced));
      overwrite(this.slave, synced, Buffer.from(spoilt));
      if (!dat) rmSync(`${this.slave}.dat`);
    }
    this.slaveBytes = existsSync(this.slave) ? readFileSync(this.slave) : undefined;
  }

  /** What must hold after the sync of a hostile master or slave. */
  after({ exitCode, reason }: Result): void {
    assert.ok([0, 3, 4].includes(exitCode), `exit status ${exitCode}: ${reason}`);
    this.assertMasterUntouched();
    const slave = existsSync(this.slave) ? readFileSync(this.slave) : undefined;
    const untouched = slave === undefined ? this.slaveBytes === undefined : this.slaveBytes?.equals(slave) === true;
    const prefix = slave !== undefined && this.isFromMaster(slave);
    assert.ok(untouched || prefix, 'the slave is a prefix of the master, or what it was');
    if (exitCode === 3) assert.ok(untouched, 'a refusal leaves the slave as it is');
    if (slave !== undefined && !untouched && !this.mayHoldRot()) {
      assert.equal(walkOver(slave).stop?.kind, 'end', 'what was written ends with a whole transaction');
    }
    if (exitCode === 0) {
      assert.notEqual(magicOf(this.masterBytes), undefined, 'only a Data.fs is copied');
      assert.ok(prefix, 'in step');
      const { end } = walkOver(this.masterBytes);
      assert.ok(slave?.length === end || this.mayHoldRot(), `in step up to ${slave?.length}, committed up to ${end}`);
    }
    const kept = this.slaveBytes !== undefined && slave?.subarray(0, this.slaveBytes.length).equals(this.slaveBytes);
    if (!kept) this.assertNothingLost();
    this.slaveBytes = slave;
  }

  /** What must hold after one more sync of the same master. */
  last({ exitCode, reason }: Result): void {
    assert.ok([0, 3, 4].includes(exitCode), `exit status ${exitCode}: ${reason}`);
    this.assertMasterUntouched();
    // A --full that found damage left the old slave; the next sync may copy the good part. It may also find rot.
    if (this.meeting.full || this.mayHoldRot()) return;
    const slave = existsSync(this.slave) ? readFileSync(this.slave) : undefined;
    assert.ok(slave?.equals(this.slaveBytes ?? Buffer.alloc(0)) ?? this.slaveBytes === undefined, 'nothing more to do');
  }

  /** Complete transactions that only the slave had are kept when the slave is rebuilt. */
  private assertNothingLost(): void {
    if (this.slaveBytes === undefined || this.meeting.toSlave.length > 0) return;
    const master = transactionsOf(this.masterBytes);
    const there = new Set(master.map(({ tid }) => tid));
    const here = transactionsOf(this.slaveBytes).map(({ tid }) => tid);
    // Below the newest common transaction, and below a newer one that a pack included, a pack may have dropped any.
    const common = here.findLastIndex((tid) => there.has(tid));
    const packed = master.findLast(({ status }) => status === STATUS_PACKED)?.tid ?? '';
    const lost = here.slice(common + 1).filter((tid) => tid > packed);
    const aside = readdirSync(join(this.directory, 'slave')).some((name) => name.startsWith('Data.fs.only-here-'));
    assert.ok(lost.length === 0 || aside, `only the slave had ${lost}, and its file was not kept`);
  }

  /** Whether the bytes are the master's; where only a scrub would find rot, the slave's earlier bytes are allowed as well. */
  private isFromMaster(slave: Buffer): boolean {
    if (this.masterBytes.subarray(0, slave.length).equals(slave)) return true;
    if (!this.mayHoldRot() || slave.length > this.masterBytes.length) return false;
    return slave.every((byte, at) => byte === this.masterBytes[at] || byte === this.slaveBytes?.[at]);
  }

  /** Not every sync reads what is below the claim, except near its end and at the file's start; true for both sides. */
  private mayHoldRot(): boolean {
    const { dat, toMaster, toSlave } = this.meeting;
    const hasMiddle = (this.slaveBytes?.length ?? 0) > 2 * QUICK_COMPARE;
    return dat && (toSlave.length > 0 || (toMaster.length > 0 && hasMiddle));
  }

  private assertMasterUntouched(): void {
    assert.ok(readFileSync(this.master).equals(this.masterBytes), 'the master is never written');
  }
}

/** A file's transactions, in order, up to where its walk stops. */
function transactionsOf(bytes: Uint8Array): { readonly tid: string; readonly status: number }[] {
  const found: { tid: string; status: number }[] = [];
  walkOver(bytes, {
    onTransaction: (_position, _length, tid, status) => void found.push({ tid: formatTid(tid), status }),
  });
  return found;
}
