import { hostname } from 'node:os';
import { rename } from '../io/directory.js';
import { type FileFacts, factsOfPath } from '../io/facts.js';
import { IoFault } from '../io/fault.js';
import { tryFlock } from '../io/flock.js';
import { OpenFile } from '../io/open-file.js';
import { mayHaveOpen } from '../io/processes.js';
import { applyOwnership } from '../io/replace.js';
import { PathMistake } from './paths.js';

/** What a syncpozo holds the lock for, as the lock file's text states it. A sync writes no word. */
export type Purpose = 'sync' | 'promote';

/**
 * `Data.fs.lock`, as zc.lockfile takes it. The flock decides; the file is never removed; its text names the holder.
 *
 * Invariants: while a Lock is held, no FileStorage opens the slave for writing and no other syncpozo runs on it. The
 * lock ends with its process, however that ends. A lock file that another process holds is never changed, and is
 * replaced only when that process can never run again.
 */
export type LockOutcome =
  | { readonly kind: 'held'; readonly lock: Lock }
  /** Another syncpozo holds it. */
  | { readonly kind: 'syncpozo'; readonly holder: string }
  /** Another program holds it, usually a ZEO server. */
  | { readonly kind: 'other'; readonly holder: string };

const MARK = 'syncpozo';
const LARGEST_TEXT = 256;
const CHECKS = 10;
const CHECK_PAUSE_MS = 20;

export class Lock {
  /** Paths of the locks that this process holds. */
  private static readonly held = new Set<string>();

  private constructor(
    private readonly file: OpenFile,
    private readonly path: string,
  ) {
    Lock.held.add(path);
  }

  /**
   * Takes the lock without waiting. Creates the lock file with the owner of `like` (the slave's directory), so that a
   * ZEO server that runs as another user than cron can open it later.
   *
   * A process that has just taken the lock may not have written its text yet, or may have released the lock again. So
   * when the text names no live process, this reads it again and retries the lock for a while.
   */
  static take(path: string, like: FileFacts, purpose: Purpose = 'sync'): LockOutcome {
    let file = openOrCreate(path, like);
    try {
      for (let probe = 1; ; probe++) {
        if (tryFlock(file.fd, path)) {
          if (names(path, file)) return { kind: 'held', lock: Lock.claim(file, path, purpose) };
          // It was replaced in the meantime (see replace), so a lock on it protects nothing.
          file.close();
          file = openOrCreate(path, like);
          continue;
        }
        const holder = readHolder(file);
        if (holder.lives || probe === CHECKS) {
          file.close();
          return { kind: holder.lives && holder.isSyncpozo ? 'syncpozo' : 'other', holder: holder.text };
        }
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, CHECK_PAUSE_MS);
      }
    } catch (error) {
      file.close();
      throw error;
    }
  }

  /**
   * Replaces the lock file of a dying holder (see io/dying.ts) with a new one that this process holds: the holder can
   * neither run nor be ended, so its lock protects nothing. Returns undefined when another process was faster.
   *
   * The new file is locked before it is renamed into place. Its temporary name is a lock in itself: of two processes
   * that replace at the same time, one finds it held, or finds that the path no longer has the file it meant to
   * replace.
   */
  static replace(path: string, deadInode: string, like: FileFacts, purpose: Purpose): Lock | undefined {
    const beside = `${path}.new`;
    const file = openOrCreate(beside, like);
    const ours = tryFlock(file.fd, beside) && names(beside, file);
    if (!ours || factsOfPath(path)?.inode !== deadInode) {
      file.close();
      return undefined;
    }
    const lock = Lock.claim(file, path, purpose);
    rename(beside, path);
    return lock;
  }

  private static claim(file: OpenFile, path: string, purpose: Purpose): Lock {
    const text = Buffer.from(` ${process.pid} ${MARK} ${hostname()}${purpose === 'sync' ? '' : ` ${purpose}`}\n`);
    file.write(text, 0);
    file.truncate(text.length);
    return new Lock(file, path);
  }

  /**
   * Who holds the lock, by its text and by that process's open files; undefined when no live process is found. Does not
   * try the lock: holding it even for a moment could keep a ZEO server from starting.
   */
  static probe(path: string): Exclude<LockOutcome, { kind: 'held' }> | undefined {
    const file = OpenFile.openHereIfThere(path);
    if (!file) return undefined;
    try {
      const holder = readHolder(file);
      if (!holder.lives || (holder.isHere && !Lock.mayHold(holder.pid, path))) return undefined;
      return { kind: holder.isSyncpozo ? 'syncpozo' : 'other', holder: holder.text };
    } finally {
      file.close();
    }
  }

  /** A process that has the lock file open holds it, except this one, which has it open to read who does. */
  private static mayHold(pid: string, path: string): boolean {
    return Number(pid) === process.pid ? Lock.held.has(path) : mayHaveOpen(pid, path);
  }

  release(): void {
    Lock.held.delete(this.path);
    this.file.close();
  }
}

/** Whether the path still names the file that is open here. */
function names(path: string, file: OpenFile): boolean {
  return factsOfPath(path)?.inode === file.facts().inode;
}

/** The holder's name is written into this file, so it must not also be another file outside the slave's directory. */
function openExisting(path: string): OpenFile {
  const file = OpenFile.openToWrite(path);
  const { links, kind } = file.facts();
  if (kind === 'file' && links === 1) return file;
  file.closeQuietly();
  const what = kind === 'file' ? `has ${links} names (hard links)` : `is a ${kind}, not a file`;
  const hint = `a lock file stands for one slave alone: while nothing uses the slave, remove ${path}; it is made again`;
  throw new PathMistake(`the lock file ${path} ${what}`, hint);
}

function openOrCreate(path: string, like: FileFacts): OpenFile {
  try {
    return openExisting(path);
  } catch (error) {
    if (!(error instanceof IoFault) || error.code !== 'ENOENT') throw error;
  }
  try {
    const file = OpenFile.createNew(path, 0o644);
    applyOwnership(file, { mode: 0o644, uid: like.uid, gid: like.gid });
    return file;
  } catch (error) {
    // Another process created it in the meantime.
    if (error instanceof IoFault && error.code === 'EEXIST') return openExisting(path);
    throw error;
  }
}

interface Holder {
  readonly text: string;
  readonly pid: string;
  readonly isSyncpozo: boolean;
  /** It runs on this host, according to the text. */
  readonly isHere: boolean;
  /** The process exists; for another host, this is assumed of a syncpozo. */
  readonly lives: boolean;
}

function readHolder(file: OpenFile): Holder {
  const bytes = new Uint8Array(LARGEST_TEXT);
  const text = Buffer.from(bytes.subarray(0, file.read(bytes, bytes.length, 0)))
    .toString('utf8')
    .trim();
  const { pid, isSyncpozo, isHere } = parseHolder(text);
  return { text, pid, isSyncpozo, isHere, lives: isHere ? isAlive(pid) : isSyncpozo };
}

/** The holder that a lock file's text names. */
export function parseHolder(
  text: string,
): Pick<Holder, 'pid' | 'isSyncpozo' | 'isHere'> & { readonly purpose: Purpose } {
  const [pid = '', mark, host, purpose] = text.split(' ');
  return {
    pid,
    isSyncpozo: mark === MARK,
    isHere: host === undefined || host === hostname(),
    purpose: purpose === 'promote' ? 'promote' : 'sync',
  };
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
