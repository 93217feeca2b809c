import { closeSync, openSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type DiskOperation, observeDisk } from '../../src/io/observer.js';
import { currentCaller } from './call-site.js';
import type { Change, FileId } from './change.js';
import { type Image, withInode } from './image.js';
import type { Disk } from './model-disk.js';

/**
 * The record of one run: every change that it made in the slave's directory, in the model's terms.
 *
 * Invariants: nothing outside that directory is changed (invariant 13), or recording fails; a file has one number from its
 * creation to the record's end, because the recorder keeps it open, so that its inode is not reused.
 */
export interface Recording<T> {
  readonly changes: readonly Change[];
  readonly result: T;
}

/**
 * Ignored: the lock file, because only the flock counts, and the outcome file, because no run decides anything by it, it is not
 * made durable, and the time in it would make every state distinct.
 */
export function isIgnored(path: string): boolean {
  return /\.(lock|outcome(\.tmp)?)$/.test(path);
}

/** The file of an inode. */
export class Identities {
  private readonly byInode = new Map<string, FileId>();
  private next = 1;

  set(inode: string, file: FileId): void {
    this.byInode.set(inode, file);
    this.next = Math.max(this.next, file + 1);
  }

  make(inode: string): FileId {
    const file = this.next++;
    this.byInode.set(inode, file);
    return file;
  }

  of(inode: string): FileId {
    const file = this.byInode.get(inode);
    if (file === undefined) throw new Error(`inode ${inode} was changed, but is none of the directory's files`);
    return file;
  }

  /** For the text of a `.dat`, which may refer to a removed file. */
  textOf(inode: string): string {
    return String(this.byInode.get(inode) ?? 0);
  }
}

/** The current content of a directory, all of it durable. */
export function readDisk(directory: string, identities: Identities): Disk {
  const names = new Map<string, FileId>();
  const entries = readdirSync(directory).filter((name) => !isIgnored(name));
  const inodes = new Map(entries.map((name) => [name, inodeOf(join(directory, name))]));
  const known = new Map<string, FileId>();
  for (const name of entries.sort()) {
    const inode = inodes.get(name) ?? '';
    const file = known.get(inode) ?? identities.make(inode);
    known.set(inode, file);
    names.set(name, file);
  }
  const images = new Map<FileId, Image>();
  for (const [name, file] of names) {
    const bytes = readFileSync(join(directory, name));
    const own = name.includes('.dat') ? withInode(bytes, (inode) => identities.textOf(inode)) : bytes;
    images.set(file, { bytes: own, attributes: 0 });
  }
  return { names, images };
}

export function inodeOf(path: string): string {
  return String(statSync(path, { bigint: true }).ino);
}

/** Calls `run` and records what it does to the directory, whose files are those of `names`. */
export async function record<T>(
  directory: string,
  names: ReadonlyMap<string, FileId>,
  identities: Identities,
  run: () => Promise<T>,
  during: (operation: DiskOperation) => void = () => {},
): Promise<Recording<T>> {
  const recorder = new Recorder(directory, names, identities);
  for (const name of names.keys()) recorder.hold(join(directory, name));
  observeDisk((operation) => {
    recorder.note(operation);
    during(operation);
  });
  try {
    return { result: await run(), changes: recorder.changes };
  } finally {
    observeDisk(undefined);
    recorder.letGo();
  }
}

class Recorder {
  readonly changes: Change[] = [];
  private readonly names: Map<string, FileId>;
  private readonly held: number[] = [];

  constructor(
    private readonly directory: string,
    names: ReadonlyMap<string, FileId>,
    private readonly identities: Identities,
  ) {
    this.names = new Map(names);
  }

  hold(path: string): void {
    this.held.push(openSync(path, 'r'));
  }

  letGo(): void {
    for (const fd of this.held.splice(0)) closeSync(fd);
  }

  note(operation: DiskOperation): void {
    const caller = currentCaller();
    switch (operation.kind) {
      case 'sync-directory':
        if (operation.path !== this.directory) throw new Error(`${operation.path} is not the slave's directory`);
        this.changes.push({ kind: 'sync-directory', ...caller });
        return;
      case 'make-directory':
      case 'remove-directory':
        throw new Error(`${operation.path} is none of the slave's files`);
      case 'rename':
      case 'link': {
        const [from, to] = [this.nameOf(operation.from), this.nameOf(operation.to)];
        if (isIgnored(to)) return;
        const file = this.fileAt(from);
        if (operation.kind === 'rename') this.names.delete(from);
        this.names.set(to, file);
        this.changes.push({ kind: operation.kind, from, to, file, ...caller });
        return;
      }
      case 'unlink': {
        const name = this.nameOf(operation.path);
        if (isIgnored(name)) return;
        this.changes.push({ kind: 'unlink', name, file: this.fileAt(name), ...caller });
        this.names.delete(name);
        return;
      }
      default: {
        const name = this.nameOf(operation.path);
        if (isIgnored(name)) return;
        if (operation.kind === 'create') {
          this.hold(operation.path);
          const file = this.identities.make(operation.inode);
          this.names.set(name, file);
          this.changes.push({ kind: 'create', name, file, ...caller });
          return;
        }
        const file = this.identities.of(operation.inode);
        if (operation.kind === 'write') {
          const bytes = name.includes('.dat')
            ? withInode(operation.bytes, (inode) => this.identities.textOf(inode))
            : operation.bytes;
          this.changes.push({ kind: 'write', file, position: operation.position, bytes, ...caller });
        } else if (operation.kind === 'truncate') {
          this.changes.push({ kind: 'truncate', file, size: operation.size, ...caller });
        } else if (operation.kind === 'sync') {
          this.changes.push({ kind: 'sync', file, what: operation.what, ...caller });
        } else this.changes.push({ kind: 'attributes', file, ...caller });
      }
    }
  }

  private nameOf(path: string): string {
    if (dirname(path) !== this.directory) throw new Error(`${path} was changed, outside the slave's directory`);
    return basename(path);
  }

  private fileAt(name: string): FileId {
    const file = this.names.get(name);
    if (file === undefined) throw new Error(`nothing is known at ${name}`);
    return file;
  }
}
