import { closeSync, openSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { type DiskOperation, observeDisk } from '../../src/io/observer.js';
import { type Caller, currentCaller } from './call-site.js';
import { AROUND, type Change, type FileId, isFileChange, type NameChange, SLAVE } from './change.js';
import type { Identities } from './identities.js';
import { BLOBS, withInode } from './image.js';
import { inodeOf, isIgnored, modifiedOf } from './read-disk.js';
import { AROUND_PATH, type Names, type Visible } from './tree.js';

export { Identities } from './identities.js';
export { inodeOf, isIgnored, readDisk } from './read-disk.js';

/**
 * The record of one run: every change that it made in the slave's directory and in the blob directory beside it, in the
 * model's terms.
 *
 * Invariants:
 * - Nothing outside these directories is changed (invariant 13), or recording fails.
 * - A file has one number from its creation to the record's end, because the recorder keeps it open, so that its inode is
 *   not reused.
 * - An operation of the thread pool has the caller that began it. A sync covers what precedes its begin, and holds from
 *   its end.
 */
export interface Recording<T> {
  readonly changes: readonly Change[];
  readonly result: T;
}

/** Calls `run` and records what it does to the directory, whose files are those of `visible`. */
export async function record<T>(
  directory: string,
  visible: Names | Visible,
  identities: Identities,
  run: () => Promise<T>,
  during: (operation: DiskOperation) => void = () => {},
): Promise<Recording<T>> {
  const start = 'names' in visible ? visible : { names: visible };
  const recorder = new Recorder(directory, start, identities);
  for (const name of start.names.keys()) recorder.hold(join(directory, name));
  const note = (operation: DiskOperation): void => {
    recorder.note(operation);
    during(operation);
  };
  observeDisk(note, (operation) => recorder.begin(operation));
  try {
    return { result: await run(), changes: recorder.changes };
  } finally {
    observeDisk(undefined);
    recorder.letGo();
  }
}

interface Begun {
  readonly caller: Caller;
  /** The number of changes before it. */
  readonly at: number;
}

class Recorder {
  readonly changes: Change[] = [];
  private readonly names: Map<string, FileId>;
  private readonly directories: Map<string, FileId>;
  private readonly held: number[] = [];
  private readonly begun = new Map<DiskOperation, Begun>();

  constructor(
    private readonly directory: string,
    { names, directories }: Visible,
    private readonly identities: Identities,
  ) {
    this.names = new Map(names);
    this.directories = new Map(directories ?? []);
    if (directories) this.directories.set(AROUND_PATH, AROUND);
    identities.reserve(this.directories.values());
  }

  hold(path: string): void {
    this.held.push(openSync(path, 'r'));
  }

  letGo(): void {
    for (const fd of this.held.splice(0)) closeSync(fd);
  }

  begin(operation: DiskOperation): void {
    this.begun.set(operation, { caller: currentCaller(), at: this.changes.length });
  }

  note(operation: DiskOperation): void {
    const begun = this.begun.get(operation);
    const { caller, at } = begun ?? { caller: currentCaller(), at: this.changes.length };
    switch (operation.kind) {
      case 'sync-directory': {
        const directory = this.directoryAt(relative(this.directory, operation.path) || '.', operation.path);
        const except = this.changes.slice(at).filter((change) => isNameChange(change) && of(change) === directory);
        this.changes.push({ kind: 'sync-directory', ...where(directory), ...exceptFor(except), ...caller });
        return;
      }
      case 'make-directory': {
        const name = this.nameOf(operation.path);
        const file = this.identities.makeDirectory();
        this.directories.set(name, file);
        this.changes.push({ kind: 'make-directory', name, file, ...where(this.parentOf(name)), ...caller });
        return;
      }
      case 'remove-directory': {
        const name = this.nameOf(operation.path);
        const file = this.directoryAt(name, operation.path);
        this.directories.delete(name);
        this.changes.push({ kind: 'remove-directory', name, file, ...where(this.parentOf(name)), ...caller });
        return;
      }
      case 'rename':
      case 'link':
        return this.noteNamed(operation, caller);
      case 'unlink': {
        const name = this.nameOf(operation.path);
        if (isIgnored(name)) return;
        const file = this.fileAt(name);
        this.changes.push({ kind: 'unlink', name, file, ...where(this.parentOf(name)), ...caller });
        this.names.delete(name);
        return;
      }
      default: {
        const name = this.nameOf(operation.path);
        if (isIgnored(name)) return;
        if (operation.kind === 'create') return void this.create(name, operation.path, caller);
        const file = this.identities.of(operation.inode);
        if (operation.kind === 'write') {
          const bytes = name.includes('.dat')
            ? withInode(operation.bytes, (inode) => this.identities.textOf(inode), {
                from: join(this.directory, BLOBS),
                to: BLOBS,
              })
            : operation.bytes;
          this.changes.push({ kind: 'write', file, position: operation.position, bytes, ...caller });
        } else if (operation.kind === 'truncate') {
          this.changes.push({ kind: 'truncate', file, size: operation.size, ...caller });
        } else if (operation.kind === 'sync') {
          const except = this.changes.slice(at).filter((change) => isFileChange(change) && change.file === file);
          this.changes.push({ kind: 'sync', file, what: operation.what, ...exceptFor(except), ...caller });
        } else {
          const { modified } = operation;
          this.changes.push({ kind: 'attributes', file, ...(modified !== undefined && { modified }), ...caller });
        }
      }
    }
  }

  private noteNamed(operation: Extract<DiskOperation, { kind: 'rename' | 'link' }>, caller: Caller): void {
    const to = this.nameOf(operation.to);
    if (isIgnored(to)) return;
    if (operation.kind === 'link' && !this.isHere(operation.from)) return this.linkForeign(to, operation.to, caller);
    const from = this.nameOf(operation.from);
    const [directory, before] = [this.parentOf(to), this.parentOf(from)];
    if (operation.kind === 'rename' && directory !== before) throw new Error(`${from} is moved to another directory`);
    const moved = operation.kind === 'rename' ? this.directories.get(from) : undefined;
    if (moved !== undefined) {
      this.moveDirectory(from, to);
      return void this.changes.push({ kind: 'rename', from, to, file: moved, ...where(directory), ...caller });
    }
    const file = this.fileAt(from);
    if (operation.kind === 'rename') this.names.delete(from);
    this.names.set(to, file);
    this.changes.push({ kind: operation.kind, from, to, file, ...where(directory), ...caller });
  }

  /** What is in a directory that gets another name gets another path. */
  private moveDirectory(from: string, to: string): void {
    for (const paths of [this.names, this.directories])
      for (const [path, id] of [...paths])
        if (path === from || path.startsWith(`${from}/`)) {
          paths.delete(path);
          paths.set(to + path.slice(from.length), id);
        }
  }

  /** A link to a file of the master's: nobody knows whether its bytes are durable. */
  private linkForeign(to: string, path: string, caller: Caller): void {
    const file = this.create(to, path, caller);
    this.changes.push({ kind: 'write', file, position: 0, bytes: readFileSync(path), ...caller });
    this.changes.push({ kind: 'attributes', file, modified: modifiedOf(path), ...caller });
  }

  private create(name: string, path: string, caller: Caller): FileId {
    this.hold(path);
    const file = this.identities.make(inodeOf(path));
    this.names.set(name, file);
    this.changes.push({ kind: 'create', name, file, ...where(this.parentOf(name)), ...caller });
    return file;
  }

  private isHere(path: string): boolean {
    const name = relative(this.directory, path);
    return dirname(name) === '.' || this.directories.has(dirname(name));
  }

  /** The path relative to the slave's directory. */
  private nameOf(path: string): string {
    if (!this.isHere(path)) throw new Error(`${path} was changed, outside the slave's directories`);
    return relative(this.directory, path);
  }

  private parentOf(name: string): FileId {
    return this.directoryAt(dirname(name), name);
  }

  private directoryAt(name: string, path: string): FileId {
    const found = name === '.' ? SLAVE : this.directories.get(name);
    if (found === undefined) throw new Error(`${path} is not one of the slave's directories`);
    return found;
  }

  private fileAt(name: string): FileId {
    const file = this.names.get(name);
    if (file === undefined) throw new Error(`nothing is known at ${name}`);
    return file;
  }
}

function isNameChange(change: Change): change is Change & NameChange {
  return !isFileChange(change) && change.kind !== 'sync' && change.kind !== 'sync-directory';
}

function of({ directory = SLAVE }: NameChange): FileId {
  return directory;
}

function where(directory: FileId): { readonly directory?: FileId } {
  return directory === SLAVE ? {} : { directory };
}

function exceptFor(except: readonly Change[]): { readonly except?: readonly Change[] } {
  return except.length > 0 ? { except } : {};
}
