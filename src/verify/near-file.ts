import type { FileFacts } from '../io/facts.js';
import { OpenFile } from '../io/open-file.js';
import { Exchanged } from '../pipeline/copy.js';
import { finishedEnd } from '../pipeline/finished-end.js';
import { ReadAhead } from '../pipeline/read-ahead.js';
import { eventLoopTurn, Interrupted, type ReadDeadline } from '../pipeline/read-deadline.js';
import type { Readable } from '../pipeline/scan.js';
import type { Window } from '../pipeline/window.js';

/** A file under inspection; other threads open it again by its path. */
export interface Inspected extends Readable {
  readonly facts: Pick<FileFacts, 'kind' | 'device' | 'inode'>;
}

/**
 * Yields to the event loop after this many windows (about 2 ms of work), so that signals and finished workers are
 * handled.
 */
const WINDOWS_A_TURN = 4;

/**
 * A file on a local disk, read in this thread. Through the thread pool, a window would take twice the time that it
 * takes to read, hash and walk. Not for a mount that may hang, because no timer could fire.
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

  /** Opens the same file again, up to the size it had. */
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
    this.file.closeWhenIdle();
  }
}
