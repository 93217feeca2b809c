import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type DiskOperation, observeDisk } from '../../src/io/observer.js';
import { EXIT } from '../../src/round/exit.js';
import { parseDat } from '../../src/standby/dat.js';
import { atOnce } from './at-once.js';
import { isDescribed, roleIn, roleOf } from './beside.js';
import { isIncomplete, recoveredProblem, settingsFor } from './blob-recovery.js';
import type { Case } from './case.js';
import { fingerprint } from './fingerprint.js';
import { DAT, DATA, ROLE } from './history.js';
import { startsWith } from './in-model.js';
import { materialise } from './materialise.js';
import type { Disk } from './model-disk.js';
import { oneSync, type Synced } from './one-sync.js';
import { type Opening, Openings } from './opens.js';
import { inodeOf } from './record.js';

export interface Recovered {
  /** The broken invariant (3 or 4); undefined if none. */
  readonly problem: string | undefined;
  /** What the first sync decided and did, without numbers. */
  readonly did: string;
}

/**
 * Judges a state on a real disk: what a server would show of it, whether the next sync brings it in step, and whether the
 * one after that does nothing.
 */
export class Judge {
  readonly openings: Openings;
  private readonly slave: string;
  /** Slaves in step that a second sync has left as they were, each with its master. */
  private readonly settled = new Set<string>();

  /** `scratch`: a directory of its own. */
  constructor(readonly scratch: string) {
    this.openings = new Openings(join(scratch, 'openings'));
    this.slave = join(scratch, 'slave');
    mkdirSync(this.slave);
  }

  /** The bytes that FileStorage shows of the slave; undefined without one. */
  opening(state: Disk): Promise<Opening> | undefined {
    const [data, index] = [DATA, `${DATA}.index`].map((name) => state.images.get(state.names.get(name) ?? -1));
    return data && this.openings.ask(data, index);
  }

  /**
   * Syncs a slave in this state twice. The second sync is left out where an earlier state led to the same slave: it saw the
   * same bytes, and did nothing.
   */
  recover(of: Case, state: Disk): Promise<Recovered> {
    return atOnce(() => this.recoverNow(of, state));
  }

  private async recoverNow(of: Case, state: Disk): Promise<Recovered> {
    materialise(state, this.slave);
    const operations: string[] = [];
    observeDisk((operation) => operations.push(operation.kind + nameIn(operation)));
    try {
      const blobs = of.blobs && settingsFor(of.blobs, this.slave);
      const first = await oneSync(of.master, this.slave, needsFull(of, state), of.scrub, blobs, of.packedFiles);
      const did = [first.report, ...kindsOf(of, operations)].join('; ');
      operations.length = 0;
      if (isStillRefused(of, state)) return { problem: await this.refusedProblem(of, first, operations), did };
      if (first.kind === 'adopt' && isDescribed(state)) {
        return {
          problem: `the next sync compares everything, although a .dat describes the slave: ${first.report}`,
          did,
        };
      }
      return { problem: await this.problemAfter(of, first, operations), did };
    } finally {
      observeDisk(undefined);
    }
  }

  private async problemAfter(of: Case, first: Synced, operations: readonly string[]): Promise<string | undefined> {
    const blobs = of.blobs && settingsFor(of.blobs, this.slave);
    const isKnown = of.blobs !== undefined && isIncomplete(of.blobs, this.slave);
    if (first.exitCode !== (isKnown ? EXIT.damaged : EXIT.ok))
      return `the next sync ends with ${first.exitCode}: ${first.report} (invariant 4)`;
    if (first.kind === 'rebuild' && of.neverRebuild) return `the next sync copies everything again: ${first.report}`;
    const wrong = this.notInStep(of) ?? (of.blobs && recoveredProblem(of.blobs, this.slave));
    if (wrong) return `after the next sync (${first.report}) ${wrong}`;
    const outcome = `${of.master} ${first.exitCode} ${fingerprint(this.slave, blobs !== undefined)}`;
    if (this.settled.has(outcome)) return undefined;
    const second = await oneSync(of.master, this.slave, false, 0, blobs);
    // A missing blob is looked for in every run.
    if (second.exitCode !== first.exitCode || second.kind !== (isKnown ? 'append' : 'none'))
      return `the sync after the next reports: ${second.report}`;
    if (operations.length === 0) {
      this.settled.add(outcome);
      return undefined;
    }
    return `after the next sync (${first.report}) the next one still does: ${operations.join(', ')} (invariant 4)`;
  }

  /** Refusals repeat: the run that refuses first records it, and the next one writes nothing. */
  private async refusedProblem(
    { master, kept }: Case,
    first: Synced,
    operations: readonly string[],
  ): Promise<string | undefined> {
    if (first.exitCode !== 3) return `the next sync does not refuse, it ends with ${first.exitCode}: ${first.report}`;
    if (!this.recorded()) return 'the next sync has refused and has not recorded it';
    const second = await oneSync(master, this.slave);
    if (second.exitCode !== 3) return `the sync after the next does not refuse: ${second.report}`;
    if (operations.length > 0) return `a refusal that stands still does: ${operations.join(', ')}`;
    const same = Buffer.compare(readFileSync(join(this.slave, DATA)), kept?.bytes ?? new Uint8Array()) === 0;
    return same ? undefined : 'a refused run has changed the slave';
  }

  private recorded(): boolean {
    const path = join(this.slave, ROLE);
    if (!existsSync(path)) return false;
    return roleIn({ bytes: readFileSync(path), attributes: 0 })?.refusal !== undefined;
  }

  private notInStep({ generations, kept }: Case): string | undefined {
    const expected = generations.at(-1) ?? new Uint8Array();
    const slave = readFileSync(join(this.slave, DATA));
    if (Buffer.compare(slave, expected) !== 0) return 'the slave is not the master (invariant 3)';
    const parsed = parseDat(readFileSync(join(this.slave, DAT), 'utf8'));
    if (!('dat' in parsed)) return `the .dat is not usable: ${parsed.problem}`;
    const { claim, slaveInode } = parsed.dat;
    if (claim.position !== expected.length) return `${claim.position} bytes are claimed of ${expected.length}`;
    if (slaveInode !== inodeOf(join(this.slave, DATA))) return 'the .dat means another file';
    if (this.recorded()) return 'a refusal is recorded, and the slave is in step';
    if (!kept) return undefined;
    const keptFiles = readdirSync(this.slave).filter((name) => name.includes('only-here'));
    if (keptFiles.length > 1) return `the old slave is kept more than once: ${keptFiles.join(', ')}`;
    const there = readdirSync(this.slave).some((name) => startsWith(readFileSync(join(this.slave, name)), kept.bytes));
    return there ? undefined : "the slave's own transactions are gone";
  }

  async close(): Promise<void> {
    await this.openings.close();
    rmSync(this.scratch, { recursive: true, force: true });
  }
}

/** While the slave has transactions of its own, only --full makes a sync continue. */
export function needsFull({ needsForce, start }: Case, state: Disk): boolean {
  return needsForce && state.names.get(DATA) === start.names.get(DATA);
}

function isStillRefused({ staysRefused }: Case, state: Disk): boolean {
  return staysRefused === 'always' || (staysRefused === 'once recorded' && roleOf(state)?.refusal !== undefined);
}

/** What a run did, without numbers. Blobs are copied in any order, and which of them does not matter. */
function kindsOf({ blobs }: Case, operations: readonly string[]): string[] {
  const kinds = new Set(operations.map((each) => (blobs ? each.replace(/ 0x[0-9a-f]+/, ' ') : each)));
  return blobs ? [...kinds].sort() : [...kinds];
}

function nameIn(operation: DiskOperation): string {
  return ` ${basename('path' in operation ? operation.path : operation.to)}`;
}

/** The broken invariant in what a server shows (2 or 6); undefined if none. `ends`: where the blobs' judge takes it to end. */
export function openingProblem(
  opening: Opening,
  state: Disk,
  mayShow: readonly Uint8Array[],
  ends?: number,
): string | undefined {
  if ('error' in opening) return `FileStorage does not open it: ${opening.error}`;
  const bytes = state.images.get(state.names.get(DATA) ?? -1)?.bytes ?? new Uint8Array();
  const shown = bytes.subarray(0, opening.opensAt);
  if (!mayShow.some((each) => Buffer.compare(each, shown) === 0)) {
    return `FileStorage shows ${opening.opensAt} bytes, neither the state before nor the one after (invariant 6)`;
  }
  if (ends !== undefined && ends !== opening.opensAt)
    return `FileStorage shows ${opening.opensAt} bytes, the judge of the blobs ${ends}`;
  return opening.indexRight ? undefined : 'FileStorage takes a wrong index';
}
