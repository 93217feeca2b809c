import { hostname } from 'node:os';
import type { FileFacts } from '../io/facts.js';
import { IoFault } from '../io/fault.js';
import { tryFlock } from '../io/flock.js';
import { OpenFile } from '../io/open-file.js';
import { applyOwnership } from '../io/replace.js';

/**
 * `Data.fs.lock`, as zc.lockfile takes it: the flock is the truth, the file stays, its text tells who holds it.
 *
 * Invariants: while a Lock is held no FileStorage opens the slave for writing and no other syncpozo runs on it; it dies
 * with its process, however that ends; somebody else's lock file is never changed or removed.
 */
export type LockOutcome =
  | { readonly kind: 'held'; readonly lock: Lock }
  /** Another syncpozo holds it. */
  | { readonly kind: 'syncpozo'; readonly holder: string }
  /** Anything else holds it: a ZEO server, as a rule. */
  | { readonly kind: 'other'; readonly holder: string };

const MARK = 'syncpozo';
const LARGEST_TEXT = 256;
const LOOKS = 10;
const LOOK_PAUSE_MS = 20;

export class Lock {
  private constructor(private readonly file: OpenFile) {}

  /**
   * Takes the lock without waiting. The lock file is made as the owner of `like` (the slave's directory), so that a ZEO
   * server that runs as another user than cron can open it later.
   */
  static take(path: string, like: FileFacts): LockOutcome {
    const file = openOrCreate(path, like);
    try {
      if (tryFlock(file.fd, path)) {
        const text = Buffer.from(` ${process.pid} ${MARK} ${hostname()}\n`);
        file.write(text, 0);
        file.truncate(text.length);
        return { kind: 'held', lock: new Lock(file) };
      }
    } catch (error) {
      file.close();
      throw error;
    }
    try {
      return whoHolds(file);
    } finally {
      file.close();
    }
  }

  /** Asks who holds the lock without leaving a trace: for a dry run. undefined: nobody. */
  static look(path: string): Exclude<LockOutcome, { kind: 'held' }> | undefined {
    let file: OpenFile;
    try {
      file = OpenFile.openHere(path);
    } catch (error) {
      if (error instanceof IoFault && error.code === 'ENOENT') return undefined;
      throw error;
    }
    try {
      if (tryFlock(file.fd, path)) return undefined;
      return whoHolds(file);
    } finally {
      file.close();
    }
  }

  release(): void {
    this.file.close();
  }
}

function openOrCreate(path: string, like: FileFacts): OpenFile {
  try {
    return OpenFile.openToWrite(path);
  } catch (error) {
    if (!(error instanceof IoFault) || error.code !== 'ENOENT') throw error;
  }
  try {
    const file = OpenFile.createNew(path, 0o644);
    applyOwnership(file, { mode: 0o644, uid: like.uid, gid: like.gid });
    return file;
  } catch (error) {
    // Somebody made it in between.
    if (error instanceof IoFault && error.code === 'EEXIST') return OpenFile.openToWrite(path);
    throw error;
  }
}

/**
 * Tells a syncpozo from anything else by the lock file's text. Whoever took the lock a moment ago may not have written
 * its text yet, so a text that names nobody who lives is read again for a while.
 */
function whoHolds(file: OpenFile): Exclude<LockOutcome, { kind: 'held' }> {
  for (let look = 1; ; look++) {
    const holder = textOf(file);
    const [pid = '', mark, host] = holder.split(' ');
    const here = host === undefined || host === hostname();
    if ((here ? isAlive(pid) : mark === MARK) || look === LOOKS) {
      const known = mark === MARK && (!here || isAlive(pid));
      return { kind: known ? 'syncpozo' : 'other', holder };
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOOK_PAUSE_MS);
  }
}

function textOf(file: OpenFile): string {
  const bytes = new Uint8Array(LARGEST_TEXT);
  return Buffer.from(bytes.subarray(0, file.read(bytes, bytes.length, 0)))
    .toString('utf8')
    .trim();
}

function isAlive(pid: string): boolean {
  if (!/^[1-9]\d{0,9}$/.test(pid)) return false;
  try {
    process.kill(Number(pid), 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
