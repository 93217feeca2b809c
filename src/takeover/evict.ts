import { setTimeout as pause } from 'node:timers/promises';
import { hasOpen, isDying } from '../io/dying.js';
import { type FileFacts, factsOfPath } from '../io/facts.js';
import { Lock, parseHolder } from '../standby/lock.js';

/** How the sync that held the lock ended: on request, killed, or not at all (it hangs beyond SIGKILL). */
export interface Evicted {
  readonly pid: string;
  readonly how: 'ended' | 'killed' | 'left hanging';
}

export type Eviction =
  | { readonly kind: 'held'; readonly lock: Lock; readonly evicted: Evicted | undefined }
  /** Another program holds the lock, or one that cannot be identified. */
  | { readonly kind: 'other'; readonly holder: string }
  /** A syncpozo holds the lock and cannot be ended; `why` states the reason. */
  | { readonly kind: 'stays'; readonly holder: string; readonly why: string };

/**
 * Checks of a holder that does not have the lock file open: a sync writes its name a moment after it takes the lock.
 */
const CHECKS = 10;
const PAUSE_MS = 20;
/** Time for a killed process to end. After that, check whether it hangs in the kernel. */
const DYING_MS = 100;
const KILLED_MS = 1000;
/** Time for another promotion to end. */
const PROMOTING_MS = 5000;

/**
 * Takes the slave's lock for a promotion. A sync that holds it gets SIGTERM, and SIGKILL after `graceSeconds`: no crash
 * of a sync does harm. A number in a file is not enough to send a signal: the process must have the lock file open. A
 * process that hangs in the kernel for good loses the lock: the lock file is replaced.
 */
export async function evict(path: string, like: FileFacts, graceSeconds: number): Promise<Eviction> {
  let evicted: Evicted | undefined;
  let unsureChecks = 0;
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
      if (++unsureChecks < CHECKS) await pause(PAUSE_MS);
      else if (open === undefined && evicted === undefined)
        return {
          kind: 'stays',
          holder,
          why: 'its process cannot be examined: promote as root, or as the user of the sync',
        };
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
      // This order matters: the file at the path must be the one that the dying process has open.
      const lock =
        inode !== undefined && hasOpen(pid, path) && isDying(pid) && Lock.replace(path, inode, like, 'promote');
      if (lock) return { kind: 'held', lock, evicted: { pid, how: 'left hanging' } };
      if (waited > KILLED_MS) return { kind: 'stays', holder, why: 'it was killed and does not end' };
    }
    await pause(PAUSE_MS);
  }
}

/** Sends a signal; returns why that failed. A process that has ended meanwhile is no failure. */
function signal(pid: string, name: NodeJS.Signals): string | undefined {
  try {
    process.kill(Number(pid), name);
    return undefined;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return undefined;
    return 'it may not be ended: promote as root, or as the user of the sync';
  }
}
