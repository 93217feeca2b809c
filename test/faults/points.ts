import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BlobPair, withBlobPair } from '../support/blob-pair.js';
import { syncpozo } from '../support/cli.js';
import { argsOf, type BlobScene, pathsOfBlobs, ROLES_OF_BLOBS } from './blob-scenes.js';
import { pathsOf } from './scene.js';
import { ONE_THREAD, traced } from './strace.js';
import { type Call, parseTrace, pathsGiven } from './trace.js';

/** The errors that each call can return. */
export const ERRORS: Readonly<Record<string, readonly string[]>> = {
  pwrite64: ['EIO', 'ENOSPC', 'EDQUOT', 'ESTALE'],
  pread64: ['EIO', 'ESTALE'],
  fdatasync: ['EIO', 'ENOSPC', 'EDQUOT', 'ESTALE'],
  fsync: ['EIO', 'ENOSPC', 'EDQUOT', 'ESTALE'],
  ftruncate: ['EIO', 'ENOSPC', 'EDQUOT', 'ESTALE'],
  rename: ['EIO', 'ENOSPC', 'EDQUOT', 'ESTALE'],
  link: ['EIO', 'ENOSPC', 'EDQUOT', 'ESTALE'],
  unlink: ['EIO', 'ESTALE'],
  openat: ['EIO', 'ENOSPC', 'EDQUOT', 'ESTALE'],
  statx: ['EIO', 'ESTALE'],
  mkdir: ['EIO', 'ENOSPC', 'EDQUOT', 'ESTALE'],
  rmdir: ['EIO', 'ESTALE'],
  getdents64: ['EIO', 'ESTALE'],
  fchmod: ['EIO', 'EPERM'],
  fchown: ['EIO', 'EPERM'],
  chmod: ['EIO', 'EPERM'],
  chown: ['EIO', 'EPERM'],
  utimensat: ['EIO', 'EPERM'],
  close: ['EIO', 'EDQUOT'],
  flock: ['ENOLCK'],
};

export const CALLS: readonly string[] = Object.keys(ERRORS);

/** A call that a run makes: the `when`-th of its kind on its path, in the thread that makes the most of them. */
export interface Point {
  readonly label: string;
  readonly path: (pair: BlobPair) => string;
  readonly call: string;
  readonly when: number;
  /** Their number. */
  readonly of: number;
}

function allPathsOf(pair: BlobPair): ReadonlyMap<string, string> {
  return new Map([...pathsOf(pair), ...pathsOfBlobs(pair)]);
}

/** Every call of a scene's run that can get a fault. */
export async function pointsOf(scene: BlobScene): Promise<Point[]> {
  const points: Point[] = [];
  await withBlobPair(async (pair) => {
    await scene.prepare(pair);
    const log = join(pair.directory, 'trace');
    const paths = allPathsOf(pair);
    const through = traced({ log, calls: CALLS, paths: [...paths.values()] });
    const run = syncpozo(argsOf(scene, pair), { through, env: ONE_THREAD });
    if (run.exit !== 0) throw new Error(`${scene.name} fails without any fault: ${run.all}`);
    const calls = parseTrace(readFileSync(log, 'utf8'));
    for (const [label, path] of paths) {
      for (const call of CALLS) {
        const most = mostInOneThread(calls, call, path);
        for (let when = 1; when <= most; when++) {
          points.push({ label, path: (other) => allPathsOf(other).get(label) ?? '', call, when, of: most });
        }
      }
    }
  });
  return points;
}

function mostInOneThread(calls: readonly Call[], name: string, path: string): number {
  const counts = new Map<string, number>();
  for (const call of calls) {
    // Of two paths strace uses the first.
    const named = call.args.includes(`<${path}>`) || pathsGiven(call)[0] === path;
    if (call.name === name && named) counts.set(call.thread, (counts.get(call.thread) ?? 0) + 1);
  }
  return Math.max(0, ...counts.values());
}

const CHANGES: ReadonlySet<string> = new Set(['pwrite64', 'fdatasync', 'fsync', 'ftruncate', 'rename', 'link']);
const MOST_REPORTED: ReadonlySet<string> = new Set(['master', 'slave', 'new']);

/** Of the calls that change the disk the first, the last and some between; of the reads fewer. */
export function isInSample({ label, call, when, of }: Point): boolean {
  if (!MOST_REPORTED.has(label) && !CHANGES.has(call)) return false;
  if (when === 1 || when === of) return CHANGES.has(call) || call === 'openat' || call === 'pread64';
  return label !== 'lock' && CHANGES.has(call) && (when <= 3 || when === Math.ceil(of / 2));
}

/** Of the calls that change the disk the first, the last and one between. */
export function isInKillSample({ label, call, when, of }: Point): boolean {
  return MOST_REPORTED.has(label) && CHANGES.has(call) && (when === 1 || when === of || when === Math.ceil(of / 2));
}

const OF_BLOBS: ReadonlySet<string> = new Set([...CHANGES, 'mkdir', 'rmdir', 'chown', 'unlink']);
/** A kill leaves the same behind at the others. */
const KILLED: ReadonlySet<string> = new Set(['rename', 'mkdir', 'rmdir', 'chown', 'unlink', 'pwrite64']);

/**
 * Of the calls that change something in a blob directory or a manifest, and of those that read a blob of the master, one
 * for each role of the path: whichever scene comes first has it.
 */
export function oncePerRole(isKilled: boolean): (point: Point) => boolean {
  const met = new Set<string>();
  return ({ label, call, when, of }) => {
    const isRead = label === 'master blob' && !isKilled && (call === 'openat' || call === 'pread64');
    const isNothing = call === 'unlink' && label.endsWith('.tmp');
    if (!ROLES_OF_BLOBS.has(label) || isNothing || !(isRead || (isKilled ? KILLED : OF_BLOBS).has(call))) return false;
    if (when !== (call === 'unlink' ? of : Math.ceil(of / 2)) || met.has(`${label} ${call}`)) return false;
    met.add(`${label} ${call}`);
    return true;
  };
}
