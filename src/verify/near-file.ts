import type { FileFacts } from '../io/facts.js';
import { OpenFile } from '../io/open-file.js';
import { Exchanged } from '../pipeline/copy.js';
import { finishedEnd } from '../pipeline/finished-end.js';
import { ReadAhead } from '../pipeline/read-ahead.js';
import { eventLoopTurn, Interrupted, type ReadDeadline } from '../pipeline/read-deadline.js';
import type { Readable } from '../pipeline/scan.js';
import type { Window } from '../pipeline/window.js';

/** A file that is inspected: it is opened by its path in other threads as well. */
export interface Inspected extends Readable {
  readonly facts: Pick<FileFacts, 'kind' | 'device' | 'inode'>;
}

/** After so many windows (some 2 ms of work) signals are heard, and workers that have come to an end. */
const WINDOWS_A_TURN = 4;

/**
 * A file on a disk of this machine, read in this thread: by way of the thread pool a window takes as long again as it takes
 * to be read, hashed and walked over. Not for a mount that may hang, because nobody would notice.
 */
export class NearFile implements Readable {
  private readonly ahead: ReadAhead;
  private windows = 0;

  private constructor(
    readonly path: string,
    readonly size: number,
    private readonly file: OpenFile,
    private readonly deadline: ReadDeadline,
  ) {
    this.ahead = new ReadAhead({
      now: (into, length, position) => file.read(into, length, position),
      later: (into, length, position) => file.readLater(into, length, position),
      wait: (count, position) => deadline.wait(count, 'read', path, position),
      limit: size,
      finishedEnd: async () => (await finishedEnd(this)) ?? 0,
    });
  }

  /** Opens the same file once more, as far as it was seen. */
  static open({ path, size, facts }: Inspected, deadline: ReadDeadline): NearFile {
    const file = OpenFile.openSync(path);
    const { device, inode } = file.facts();
    if (device === facts.device && inode === facts.inode) return new NearFile(path, size, file, deadline);
    file.closeQuietly();
    throw new Exchanged(path);
  }

  readonly read = async (window: Window, length: number, position: number): Promise<number> => {
    if (++this.windows % WINDOWS_A_TURN === 0) await eventLoopTurn();
    if (this.deadline.signal.aborted) throw new Interrupted();
    return this.ahead.read(window, length, position);
  };

  readBytes(into: Uint8Array, position: number): number {
    return this.file.read(into, into.length, position);
  }

  async close(): Promise<void> {
    await this.ahead.settle();
    if (!this.deadline.stuck) this.file.closeQuietly();
  }
}
