import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import { listOrNothing } from './proc.js';

/** File systems whose server may disappear, so that a read blocks forever. autofs: the next access mounts it, or waits for that. */
const REMOTE = /^(autofs|nfs|nfs4|cifs|smb3|smbfs|9p|ceph|glusterfs|lustre|afs|fuse|fuse\..*)$/;

/** Decodes the octal escapes that the kernel writes for white space in mountinfo. */
function unescapeMountPoint(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

/**
 * Whether a path is on a network file system, by the kernel's mount table alone: a call to the file system itself could
 * hang. Symbolic links are not resolved, for the same reason.
 *
 * @param mountInfo the text of /proc/self/mountinfo; without it, no path counts as remote
 */
export function isOnRemoteMount(path: string, mountInfo = readMountInfo()): boolean {
  let longest = -1;
  let remote = false;
  for (const line of mountInfo.split('\n')) {
    const [left = '', right = ''] = line.split(' - ');
    const point = unescapeMountPoint(left.split(' ')[4] ?? '');
    const covers = point !== '' && (path === point || path.startsWith(point === '/' ? '/' : `${point}/`));
    // Of two mounts on the same mount point, the later one hides the earlier.
    if (covers && point.length >= longest) {
      longest = point.length;
      remote = REMOTE.test(right.split(' ')[0] ?? '');
    }
  }
  return remote;
}

function readMountInfo(): string {
  try {
    return fs.readFileSync('/proc/self/mountinfo', 'utf8');
  } catch {
    return '';
  }
}

/** A child process that reads the start of a file, and ends when its mount answers. */
function askMount(path: string): ChildProcess {
  return spawn('dd', [`if=${path}`, 'of=/dev/null', 'bs=512', 'count=1'], { stdio: 'ignore' });
}

/**
 * Whether a child of an earlier process still waits for the answer of a mount. Commands that are started each minute would
 * otherwise leave one more each time.
 */
export function isBeingAsked(path: string): boolean {
  const words = `dd\0if=${path}\0`;
  return listOrNothing('/proc').some((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith(words);
    } catch {
      // It has ended meanwhile.
      return false;
    }
  });
}

/**
 * Asks a mount again and again whether it answers, by a child process each time, and one child at a time: one that hangs
 * in the kernel may stay for as long as the mount hangs.
 */
export class MountProbe {
  private child: ChildProcess | undefined;
  private answers = false;

  constructor(private readonly path: string) {}

  /** Whether a child has had an answer. Starts the next one, unless one is still waiting. */
  hasAnswered(): boolean {
    if (!this.answers && this.child === undefined) {
      const child = askMount(this.path);
      const ended = (status: number | null): void => {
        this.child = undefined;
        // Any status counts (no such file, a directory): the mount answers. A signal does not.
        this.answers ||= status !== null;
      };
      child.once('exit', ended);
      // Without dd, only a read of this process shows it.
      child.once('error', () => ended(0));
      child.unref();
      this.child = child;
    }
    return this.answers;
  }

  close(): void {
    this.child?.kill('SIGKILL');
  }
}

/**
 * Lets a child process read the start of a file or stat a directory, and returns whether it finished in time. A thread
 * of this process that hung there could not be cancelled; a child process can be abandoned.
 */
export function answersInTime(path: string, seconds: number): Promise<boolean> {
  return new Promise((resolve) => {
    const child = askMount(path);
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      child.unref();
      resolve(false);
    }, seconds * 1000);
    // Any exit counts (no such file, a directory, no dd): the mount answers, and the real read reports the error.
    const answered = (): void => {
      clearTimeout(timer);
      resolve(true);
    };
    child.once('exit', answered);
    child.once('error', answered);
  });
}
