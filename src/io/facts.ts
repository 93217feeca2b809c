import fs from 'node:fs';
import { attempt, IoFault } from './fault.js';

export type Kind = 'file' | 'directory' | 'symbolic link' | 'special file';

/** What stat reports about one file. Device and inode are strings: both may exceed 2^53. */
export interface FileFacts {
  readonly kind: Kind;
  readonly device: string;
  readonly inode: string;
  /** Bytes. */
  readonly size: number;
  /** Nanoseconds since the epoch, in decimal. */
  readonly mtime: string;
  /** Permission bits only. */
  readonly mode: number;
  /** Number of hard links. */
  readonly links: number;
  readonly uid: number;
  readonly gid: number;
}

const NANOSECONDS_IN_A_MILLISECOND = 1_000_000n;

/** Time of the last modification, in milliseconds since the epoch. */
export function writtenAt({ mtime }: FileFacts): number {
  return Number(BigInt(mtime) / NANOSECONDS_IN_A_MILLISECOND);
}

/** Differs for two states of what is at a path, unless a program has set back a time and kept the size. */
export function stateOf(facts: FileFacts | undefined): string {
  return facts ? `${facts.device} ${facts.inode} ${facts.size} ${facts.mtime}` : 'none';
}

function factsOf(stats: fs.BigIntStats): FileFacts {
  return {
    kind: stats.isFile()
      ? 'file'
      : stats.isDirectory()
        ? 'directory'
        : stats.isSymbolicLink()
          ? 'symbolic link'
          : 'special file',
    device: String(stats.dev),
    inode: String(stats.ino),
    size: Number(stats.size),
    mtime: String(stats.mtimeNs),
    mode: Number(stats.mode) & 0o7777,
    links: Number(stats.nlink),
    uid: Number(stats.uid),
    gid: Number(stats.gid),
  };
}

/** Facts of an open file. */
export function factsOfDescriptor(fd: number, path: string): FileFacts {
  return attempt('fstat', path, () => factsOf(fs.fstatSync(fd, { bigint: true })));
}

/** As factsOfDescriptor, but in the thread pool: for the master, whose mount may hang. */
export function factsOfDescriptorLater(fd: number, path: string): Promise<FileFacts> {
  return new Promise((resolve, reject) => {
    fs.fstat(fd, { bigint: true }, (error, stats) => {
      if (error) reject(IoFault.from(error, 'fstat', path));
      else resolve(factsOf(stats));
    });
  });
}

/** Facts of what is at `path` itself (a symbolic link is not followed); undefined when nothing is there. */
export function factsOfPath(path: string): FileFacts | undefined {
  return unlessMissing('lstat', path, () => factsOf(fs.lstatSync(path, { bigint: true })));
}

/** As factsOfPath, but follows links and runs in the thread pool: for the master, whose mount may hang. */
export function factsBehindPath(path: string): Promise<FileFacts | undefined> {
  return new Promise((resolve, reject) => {
    fs.stat(path, { bigint: true }, (error, stats) => {
      const fault = error ? IoFault.from(error, 'stat', path) : undefined;
      if (fault === undefined) resolve(factsOf(stats));
      else if (isMissing(fault)) resolve(undefined);
      else reject(fault);
    });
  });
}

/**
 * When the file behind `path` was created, in nanoseconds since the epoch; undefined where the file system does not
 * store it.
 */
export function bornBehindPath(path: string): Promise<bigint | undefined> {
  return timeBehindPath(path, ({ birthtimeNs }) => birthtimeNs);
}

/** Last change (ctime) of the name, owner or contents of the file behind `path`, in nanoseconds since the epoch. */
export function changedBehindPath(path: string): Promise<bigint | undefined> {
  return timeBehindPath(path, ({ ctimeNs }) => ctimeNs);
}

function timeBehindPath(path: string, pick: (stats: fs.BigIntStats) => bigint): Promise<bigint | undefined> {
  return new Promise((resolve, reject) => {
    fs.stat(path, { bigint: true }, (error, stats) => {
      if (error) return reject(IoFault.from(error, 'stat', path));
      const time = pick(stats);
      resolve(time > 0n ? time : undefined);
    });
  });
}

/** The path with every symbolic link in it resolved; undefined when nothing is there. */
export function realPath(path: string): string | undefined {
  return unlessMissing('realpath', path, () => fs.realpathSync.native(path));
}

/** The result of `action`; undefined when the path or one of its directories does not exist. */
function unlessMissing<T>(operation: string, path: string, action: () => T): T | undefined {
  try {
    return attempt(operation, path, action);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof IoFault && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}

/** As realPath, but in the thread pool: for the master, whose mount may hang. */
export function realPathLater(path: string): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    fs.realpath.native(path, (error, real) => {
      const fault = error ? IoFault.from(error, 'realpath', path) : undefined;
      if (fault === undefined) resolve(real);
      else if (isMissing(fault)) resolve(undefined);
      else reject(fault);
    });
  });
}
