import { basename, dirname } from 'node:path';
import type { Change, FileId } from '../crash/change.js';
import { DAT, DATA, NEW_DAT, ROLE } from '../crash/history.js';
import { withInode } from '../crash/image.js';
import { type Identities, isIgnored } from '../crash/record.js';
import { type Call, dataOf, failed, pathsGiven } from './trace.js';

/** Every Linux call that can change a file system through a path or a descriptor. */
export const CHANGING: readonly string[] = [
  ...['open', 'openat', 'openat2', 'creat'],
  ...['write', 'writev', 'pwrite64', 'pwritev', 'pwritev2', 'sendfile', 'copy_file_range', 'splice', 'io_uring_setup'],
  ...['truncate', 'ftruncate', 'fallocate', 'fsync', 'fdatasync', 'sync_file_range', 'syncfs'],
  ...['rename', 'renameat', 'renameat2', 'link', 'linkat', 'unlink', 'unlinkat', 'symlink', 'symlinkat'],
  ...['mkdir', 'mkdirat', 'rmdir', 'mknod', 'mknodat', 'flock'],
  ...[
    'chmod',
    'fchmod',
    'fchmodat',
    'chown',
    'fchown',
    'lchown',
    'fchownat',
    'utimensat',
    'utime',
    'utimes',
    'futimesat',
  ],
  ...['setxattr', 'lsetxattr', 'fsetxattr', 'removexattr', 'lremovexattr', 'fremovexattr'],
];

/** The calls that src/io uses; any other bypasses it. */
/** The functions that end with a sync of the directory, by the name that they have just given to a file. */
const RETURNS: ReadonlyMap<string, readonly string[]> = new Map([
  [DAT, ['publishDat']],
  [ROLE, ['publishRole']],
  [DATA, ['swap']],
]);
const KNOWN: ReadonlySet<string> = new Set([
  ...['openat', 'pwrite64', 'ftruncate', 'fsync', 'fdatasync', 'rename', 'link', 'unlink', 'fchmod', 'fchown'],
  'flock',
]);

const OPENING = /^(open|openat|openat2|creat)$/;
const TO_WRITE = /O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_APPEND|O_TMPFILE/;

/** Paths of files that a call opens for writing or changes; not pipes and devices. */
export function pathsChanged(call: Call): string[] {
  if (failed(call)) return [];
  const { name, args } = call;
  if (OPENING.test(name) && name !== 'creat' && !TO_WRITE.test(args)) return [];
  const given = pathsGiven(call);
  const paths = given.length > 0 ? given : [...args.matchAll(/\d+<([^>]*)>/g)].map((match) => match[1] ?? '');
  return paths.filter((path) => path.startsWith('/') && !path.startsWith('/dev/'));
}

/** The changes that traced calls made in a directory, in the terms of the crash tests' model. */
export function changesIn(
  directory: string,
  calls: readonly Call[],
  start: ReadonlyMap<string, FileId>,
  identities: Identities,
): Change[] {
  const names = new Map(start);
  const changes: Change[] = [];
  let next = Math.max(0, ...start.values()) + 1;
  const fileOf = (path: string): FileId => {
    const file = names.get(basename(path));
    if (file === undefined) throw new Error(`${path} is changed, and no call has made it`);
    return file;
  };
  for (const [index, call] of calls.entries()) {
    const paths = pathsChanged(call).filter((path) => path === directory || dirname(path) === directory);
    const [path = '', to = ''] = paths;
    if (path === '' || isIgnored(path)) continue;
    if (!KNOWN.has(call.name)) throw new Error(`${call.name}(${call.args}) goes around src/io`);
    const caller = { site: `call ${index}`, within: [] };
    const name = basename(path);
    switch (call.name) {
      case 'openat':
        if (names.has(name)) break;
        names.set(name, next);
        changes.push({ kind: 'create', name, file: next++, ...caller });
        break;
      case 'pwrite64': {
        const position = Number(/, (\d+)$/.exec(call.args)?.[1]);
        const data = dataOf(call);
        if (data.length !== Number(call.result))
          throw new Error(`a write of ${call.result} bytes was not traced whole`);
        const described = name.startsWith(NEW_DAT) ? `${DATA}.new` : DATA;
        const own = (inode: string): string => ownTextOf(inode, identities, names.get(described));
        const bytes = name.startsWith(DAT) || name.startsWith(NEW_DAT) ? withInode(data, own) : data;
        const within = name === DATA && data.length === 1 ? ['flip'] : [];
        changes.push({ kind: 'write', file: fileOf(path), position, bytes, ...caller, within });
        break;
      }
      case 'ftruncate': {
        const size = Number(/, (\d+)$/.exec(call.args)?.[1]);
        changes.push({ kind: 'truncate', file: fileOf(path), size, ...caller });
        break;
      }
      case 'fsync':
      case 'fdatasync':
        if (path === directory) {
          const last = changes.at(-1);
          const within = last?.kind === 'rename' ? (RETURNS.get(last.to) ?? []) : [];
          changes.push({ kind: 'sync-directory', ...caller, within });
        } else
          changes.push({ kind: 'sync', file: fileOf(path), what: call.name === 'fsync' ? 'all' : 'data', ...caller });
        break;
      case 'fchmod':
      case 'fchown':
        changes.push({ kind: 'attributes', file: fileOf(path), ...caller });
        break;
      case 'rename':
      case 'link': {
        const file = fileOf(path);
        if (call.name === 'rename') names.delete(name);
        names.set(basename(to), file);
        changes.push({ kind: call.name, from: name, to: basename(to), file, ...caller });
        break;
      }
      case 'unlink':
        changes.push({ kind: 'unlink', name, file: fileOf(path), ...caller });
        names.delete(name);
        break;
    }
  }
  return changes;
}

/** A `.dat` names the slave's inode; of a file that the run created only the name is known. */
function ownTextOf(inode: string, identities: Identities, described: FileId | undefined): string {
  const known = identities.textOf(inode);
  return known === '0' ? String(described ?? 0) : known;
}

/** Whether a call opens something read-only. */
export function opensToRead(call: Call, path: string): boolean {
  return OPENING.test(call.name) && pathsGiven(call).includes(path) && !TO_WRITE.test(call.args);
}
