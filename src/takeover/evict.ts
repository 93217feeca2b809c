import { setTimeout as pause } from 'node:timers/promises';
import { hasOpen, isDying } from '../io/dying.js';
import { type FileFacts, factsOfPath } from '../io/facts.js';
import { Lock, parseHolder } from '../standby/lock.js';

/** What became of the sync that held the lock: it ended when asked to, was killed, or hangs beyond that. */
export interface Evicted {
  readonly pid: string;
  readonly how: 'ended' | 'killed' | 'left hanging';
}

export type Eviction =
  | { readonly kind: 'held'; readonly lock: Lock; readonly evicted: Evicted | undefined }
  /** Another program holds the lock, or one that cannot be told. */
  | { readonly kind: 'other'; readonly holder: string }
  /** A syncpozo holds it that cannot be ended; `why` says what was tried. */
  | { readonly kind: 'stays'; readonly holder: string; readonly why: string };

/** A doubtful holder is looked at again: a sync writes its name a moment after it has taken the lock. */
const CHECKS = 10;
const PAUSE_MS = 20;
/** How long a killed process may take to end; one that hangs for longer is looked at more closely. */
const DYING_MS = 100;
const KILLED_MS = 1000;
/** How long another promotion may take. */
const PROMOTING_MS = 5000;

/**
 * Takes the slave's lock for a promotion. A sync that holds it is asked to end, and after `graceSeconds` killed: no crash of
 * a sync does any harm. Nobody is sent a signal because of a number in a file alone: the process must have the lock file
 * open. One that hangs in the kernel for good loses the lock: its file is replaced.
 */
export async function evict(path: string, like: FileFacts, graceSeconds: number): Promise<Eviction> {
  let evicted: Evicted | undefined;
  let doubts = 0;
  let since = Date.now();
  for (;;) {
    const outcome = Lock.take(path, like, 'promote');
    if (outcome.kind === 'held') return { ...outcome, evicted };
    const { holder } = outcome;
    const { pid, isHere, purpose } = parseHolder(holder);
    if (outcome.kind === 'other') return { kind: 'other', holder };
    if (!isHere) return { kind: 'stays', holder, why: 'it runs on another host: end it there' };
    const open = hasOpen(pid, path);
    if (open !== true) {
      if (++doubts < CHECKS) await pause(PAUSE_MS);
      else if (open === undefined && evicted === undefined)
        return { kind: 'stays', holder, why: 'it may not be looked at: promote as root, or as the user of the sync' };
      else return { kind: 'other', holder };
      continue;
    }
    const waited = Date.now() - since;
    if (purpose === 'promote') {
      if (waited > PROMOTING_MS)
        return { kind: 'stays', holder, why: 'another promotion is at work, and does not end' };
    } else if (evicted?.pid !== pid) {
      const refused = signal(pid, 'SIGTERM');
      if (refused) return { kind: 'stays', holder, why: refused };
      evicted = { pid, how: 'ended' };
      since = Date.now();
    } else if (evicted.how === 'ended') {
      if (waited >= graceSeconds * 1000) {
        signal(pid, 'SIGKILL');
        evicted = { pid, how: 'killed' };
        since = Date.now();
      }
    } else if (waited > DYING_MS) {
      const inode = factsOfPath(path)?.inode;
      // In this order: the file at the path must be the one that the doomed process has open.
      const lock =
        inode !== undefined && hasOpen(pid, path) && isDying(pid) && Lock.replace(path, inode, like, 'promote');
      if (lock) return { kind: 'held', lock, evicted: { pid, how: 'left hanging' } };
      if (waited > KILLED_MS) return { kind: 'stays', holder, why: 'it was killed and does not end' };
    }
    await pause(PAUSE_MS);
  }
}

/** Sends a signal; returns why that could not be done. A process that has ended meanwhile is fine. */
function signal(pid: string, name: NodeJS.Signals): string | undefined {
  try {
    process.kill(Number(pid), name);
    return undefined;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return undefined;
    return 'it may not be ended: promote as root, or as the user of the sync';
  }
}
