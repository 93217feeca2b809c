import { spawn } from 'node:child_process';
import fs from 'node:fs';

/** File systems whose server may vanish, so that a read blocks without end. */
const REMOTE = /^(nfs|nfs4|cifs|smb3|smbfs|9p|ceph|glusterfs|lustre|afs|fuse|fuse\..*)$/;

/** Octal escapes by which the kernel writes blanks in mountinfo. */
function unescapeMountPoint(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

/**
 * Whether a path lies on a network file system, by the kernel's list of mounts alone: asking the file system itself would
 * hang with it. Links on the way are not followed, for the same reason.
 *
 * @param mountInfo the text of /proc/self/mountinfo; where there is none, nothing is known to be remote
 */
export function isOnRemoteMount(path: string, mountInfo = readMountInfo()): boolean {
  let longest = -1;
  let remote = false;
  for (const line of mountInfo.split('\n')) {
    const [left = '', right = ''] = line.split(' - ');
    const point = unescapeMountPoint(left.split(' ')[4] ?? '');
    const covers = point !== '' && (path === point || path.startsWith(point === '/' ? '/' : `${point}/`));
    // Of two mounts on one point the later one hides the earlier.
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

/**
 * Lets a child process read the beginning of a file or look at a directory, and tells whether it came back in time. A
 * thread of our own that hung there could not be called back; a child can be left behind.
 */
export function answersInTime(path: string, seconds: number): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn('dd', [`if=${path}`, 'of=/dev/null', 'bs=512', 'count=1'], { stdio: 'ignore' });
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      child.unref();
      resolve(false);
    }, seconds * 1000);
    // However it ended (no such file, a directory, no dd): it came back, and the reading itself will say what is wrong.
    const back = (): void => {
      clearTimeout(timer);
      resolve(true);
    };
    child.once('exit', back);
    child.once('error', back);
  });
}
