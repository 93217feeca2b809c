import { type FileFacts, factsBehindPath } from '../io/facts.js';
import { IoFault } from '../io/fault.js';
import { OpenFile } from '../io/open-file.js';
import { finishedEnd } from './finished-end.js';
import { ReadAhead } from './read-ahead.js';
import { pause, type ReadDeadline } from './read-deadline.js';
import type { Window } from './window.js';

/** A pack on the master renames Data.fs away and the packed file in: for an instant nothing is at the path. */
const CHECKS = 11;
const CHECK_PAUSE_MS = 100;

/**
 * One opening of the master's Data.fs, for reading only.
 *
 * Invariants: it is never written, locked or changed. `size` is the size at the moment of opening, and nothing beyond
 * it is copied, so one opening sees one state of the file as far as it is committed.
 */
export class Master {
  private readonly ahead: ReadAhead;
  private finished = 0;
  private isProbed = false;

  private constructor(
    readonly path: string,
    private readonly file: OpenFile,
    readonly facts: FileFacts,
    private readonly deadline: ReadDeadline,
    private readonly limit?: number,
  ) {
    this.ahead = new ReadAhead({
      now: (into, length, position) => this.readBytes(into.subarray(0, length), position),
      later: (into, length, position) => file.readLater(into, length, position),
      wait: (count, position) => deadline.wait(count, 'read', path, position),
      limit: facts.size,
      finishedEnd: (requested) => this.finishedEnd(requested),
    });
  }

  /** Opens the master afresh; undefined if nothing is at the path for about a second. */
  static async open(path: string, deadline: ReadDeadline): Promise<Master | undefined> {
    for (let probe = 1; probe <= CHECKS; probe++) {
      const master = await Master.openOnce(path, deadline);
      if (master) return master;
      if (probe < CHECKS) await pause(CHECK_PAUSE_MS);
    }
    return undefined;
  }

  /** As open, but undefined if nothing is at the path now. */
  static async openOnce(path: string, deadline: ReadDeadline): Promise<Master | undefined> {
    let file: OpenFile | undefined;
    try {
      file = await deadline.wait(OpenFile.openToRead(path), 'open', path);
      return new Master(path, file, await deadline.wait(file.factsLater(), 'fstat', path), deadline);
    } catch (error) {
      file?.closeWhenIdle();
      if (!(error instanceof IoFault) || (error.code !== 'ENOENT' && error.code !== 'ENOTDIR')) throw error;
      return undefined;
    }
  }

  get size(): number {
    return this.facts.size;
  }

  /** Reads up to `length` bytes at `position`; fewer only at the end of the file. */
  readonly read = (window: Window, length: number, position: number): Promise<number> =>
    this.ahead.read(window, length, position);

  /** The next reads are those from `from` on. Nothing from `until` on is read ahead; by default the file's end. */
  expect(from: number, until?: number): void {
    this.ahead.expect(from, until);
  }

  readBytes(into: Uint8Array, position: number): Promise<number> {
    return this.deadline.wait(this.file.readLater(into, into.length, position), 'read', this.path, position);
  }

  /**
   * The end of the transactions that are known to be finished: bytes before it that are read from now on do not change
   * any more. Probes the file if the known end does not reach `requested`; 0: the file's end has not shown it yet. The
   * probed end may be newer than this opening; the result never exceeds `size`.
   */
  async finishedEnd(requested: number): Promise<number> {
    if (this.finished >= Math.min(requested, this.size)) return this.finished;
    const { size } = this.isProbed ? await this.deadline.wait(this.file.factsLater(), 'fstat', this.path) : this.facts;
    this.isProbed = true;
    const end = await finishedEnd({ size, readBytes: (into, position) => this.readBytes(into, position) });
    this.finished = Math.max(this.finished, Math.min(end ?? 0, this.size));
    return this.finished;
  }

  /** The same opening, as that of a shorter file. */
  upTo(size: number): Master {
    return new Master(this.path, this.file, { ...this.facts, size }, this.deadline, size);
  }

  /** This opening, which ends where `other`, an earlier opening of the same file, was made to end. */
  limitedAs(other: Master): Master {
    return other.limit === undefined ? this : this.upTo(Math.min(other.limit, this.size));
  }

  /** Whether the path still names the file that is open here: false after a pack or any other exchange. */
  async isStillThere(): Promise<boolean> {
    for (let probe = 1; probe <= CHECKS; probe++) {
      const now = await this.deadline.wait(factsBehindPath(this.path), 'stat', this.path);
      if (now) return now.inode === this.facts.inode && now.device === this.facts.device;
      await pause(CHECK_PAUSE_MS);
    }
    return false;
  }

  close(): void {
    this.ahead.settle();
    this.file.closeWhenIdle();
  }
}
