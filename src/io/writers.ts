import fs from 'node:fs';
import { factsOfDescriptor } from './facts.js';
import { listOrNothing } from './proc.js';

/** A process that has a file open for writing. */
export interface Writer {
  readonly pid: string;
  /** Path of the file as that process sees it. */
  readonly name: string;
}

const ACCESS_MODE = 3;

/**
 * A process other than this one that has the file at `path` open for writing; undefined when the system shows none.
 *
 * Reads only the kernel's own lists, never the files that they name, which may be on a mount that hangs. A file is
 * identified by its inode and the device of its mount, not by its name: it may have been renamed, or a container may
 * have another path for it. On a kernel that does not list inodes (before 5.14) the path alone decides.
 */
export function writerOf(path: string): Writer | undefined {
  let fd: number;
  try {
    fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK);
  } catch {
    // Missing or unreadable: the caller's own attempt to write meets the same fault.
    return undefined;
  }
  try {
    const ours = {
      inode: factsOfDescriptor(fd, path).inode,
      fileSystem: fileSystemOf('self', String(fd)),
    };
    for (const pid of listOrNothing('/proc')) {
      if (!/^\d+$/.test(pid) || Number(pid) === process.pid) continue;
      for (const descriptor of listOrNothing(`/proc/${pid}/fd`)) {
        const name = linkText(`/proc/${pid}/fd/${descriptor}`);
        if (name?.startsWith('/') && isSame(pid, descriptor, name === path, ours)) return { pid, name };
      }
    }
    return undefined;
  } finally {
    closeQuietly(fd);
  }
}

/** Nothing was written through it, so a fault of close loses nothing. */
function closeQuietly(fd: number): void {
  try {
    fs.closeSync(fd);
  } catch {}
}

function isSame(
  pid: string,
  descriptor: string,
  samePath: boolean,
  ours: { readonly inode: string; readonly fileSystem: string | undefined },
): boolean {
  const info = text(`/proc/${pid}/fdinfo/${descriptor}`);
  const flags = field(info, 'flags');
  if (flags === undefined || (Number.parseInt(flags, 8) & ACCESS_MODE) === fs.constants.O_RDONLY) return false;
  const inode = field(info, 'ino');
  if (inode === undefined) return samePath;
  return inode === ours.inode && fileSystemOf(pid, descriptor) === ours.fileSystem;
}

/** Major and minor device number of a descriptor's file system, from the mount table. */
function fileSystemOf(pid: string, descriptor: string): string | undefined {
  const mount = field(text(`/proc/${pid}/fdinfo/${descriptor}`), 'mnt_id');
  const line = text(`/proc/${pid}/mountinfo`)
    .split('\n')
    .find((each) => each.startsWith(`${mount} `));
  return line?.split(' ')[2];
}

function field(info: string, name: string): string | undefined {
  return new RegExp(`^${name}:\\s*(\\d+)$`, 'm').exec(info)?.[1];
}

/** Returns '' when the process has ended in the meantime or belongs to another user. */
function text(path: string): string {
  try {
    return fs.readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function linkText(path: string): string | undefined {
  try {
    return fs.readlinkSync(path);
  } catch {
    return undefined;
  }
}
