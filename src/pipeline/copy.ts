import type { ChunkFacts } from './chunk.js';
import type { ChunkSource, Receiver } from './chunk-source.js';
import { Master } from './master.js';
import { pause, type ReadDeadline } from './read-deadline.js';
import type { Resume } from './resume.js';
import { isPlainlyInFlight, judgeTail, type MasterEnd } from './tail.js';

/** The master's file was exchanged (packed, restored) while it was read: the copied bytes belong to the old file. */
export class Exchanged extends Error {
  override readonly name = 'Exchanged';
  constructor(path: string) {
    super(`${path} was exchanged for another file while it was read`);
  }
}

/** Where the copied bytes go. */
export interface Target extends Receiver {
  write(bytes: Uint8Array, position: number): void;
  /** Everything before `resume` is complete; a batch may be committed here. */
  reached(resume: Resume, facts: ChunkFacts, master: Master): Promise<void>;
}

const CHECKS_OF_A_BAD_TAIL = 4;
const CHECK_PAUSE_MS = 150;

/**
 * Copies the master from `from` to its committed end. A tail that does not validate is read again through fresh
 * openings: a network file system may show a new size before the new bytes, and a live master continues to write.
 * @returns the place that was reached, and the last opening of the master, for its facts
 */
export async function copy(
  opened: Master,
  source: ChunkSource,
  from: Resume,
  target: Target,
  deadline: ReadDeadline,
): Promise<{ readonly resume: Resume; readonly end: MasterEnd; readonly master: Master }> {
  let master = opened;
  let resume = from;
  try {
    for (let probe = 1; ; ) {
      const before = resume.position;
      const stop = await source.run(master, resume, target, (reached, facts) => {
        resume = reached;
        return target.reached(reached, facts, master);
      });
      target.goBackTo(resume.position);
      if (stop.kind === 'end') return { resume, end: { kind: 'clean' }, master };
      if (stop.kind === 'in-flight' && (await isPlainlyInFlight(stop, master))) return { resume, end: stop, master };
      probe = resume.position > before ? 1 : probe + 1;
      if (probe > CHECKS_OF_A_BAD_TAIL) {
        return { resume, end: await judgeTail(stop, master, source.window, resume.tid), master };
      }
      await pause(CHECK_PAUSE_MS);
      master = await reopen(master, deadline);
    }
  } finally {
    // The caller still uses its facts and its path, but not its descriptor.
    if (master !== opened) master.close();
  }
}

async function reopen(master: Master, deadline: ReadDeadline): Promise<Master> {
  const { path, facts } = master;
  master.close();
  const fresh = await Master.open(path, deadline);
  if (fresh?.facts.inode === facts.inode && fresh.facts.device === facts.device) return fresh.limitedAs(master);
  fresh?.close();
  throw new Exchanged(path);
}
