import fs from 'node:fs';
import { factsOfDescriptor } from './facts.js';

/** A process that has a file open for writing. */
export interface Writer {
  readonly pid: string;
  /** The name under which it has it open. */
  readonly name: string;
}

const ACCESS_MODE = 3;

/**
 * A process other than this one that has the file at `path` open for writing; undefined: none that the system shows us.
 *
 * Only the kernel's own lists are read, never the files that they name, which may be on a mount that hangs. A file is
 * recognised by its inode and by the file system of its mount, whatever its name is in that process: it may have been
 * renamed, or be known by another path in a container. A kernel that does not list inodes (before 5.14) is believed by the
 * path alone.
 */
export function writerOf(path: string): Writer | undefined {
  let fd: number;
  try {
    fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK);
  } catch {
    // Missing, or nothing that could be read: whoever wants to write to it meets the same fault.
    return undefined;
  }
  try {
    const ours = {
      inode: factsOfDescriptor(fd, path).inode,
      fileSystem: fileSystemOf('self', String(fd)),
    };
    for (const pid of listed('/proc')) {
      if (!/^\d+$/.test(pid) || Number(pid) === process.pid) continue;
      for (const descriptor of listed(`/proc/${pid}/fd`)) {
        const name = linkText(`/proc/${pid}/fd/${descriptor}`);
        if (name?.startsWith('/') && isSame(pid, descriptor, name === path, ours)) return { pid, name };
      }
    }
    return undefined;
  } finally {
    closeQuietly(fd);
  }
}

/** Nothing was written to it, so nothing is lost. */
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

/** Major and minor number of the file system that a descriptor is on, as the list of mounts has it. */
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

/** Each of these may be gone by now, or not be ours to read. */
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

function listed(path: string): string[] {
  try {
    return fs.readdirSync(path);
  } catch {
    return [];
  }
}
