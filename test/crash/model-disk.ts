import {
  AROUND,
  type Change,
  type FileChange,
  type FileId,
  isFileChange,
  isOfSlave,
  type NameChange,
  SLAVE,
} from './change.js';
import { after, EMPTY, type Image } from './image.js';
import { AROUND_PATH, entriesOf, type Names, renamed, type Tree, type Visible, visibleIn } from './tree.js';

/** The slave's directory, and its blob directory if there is one, whose files are all durable. */
export interface Disk extends Visible {
  readonly images: ReadonlyMap<FileId, Image>;
}

export interface ModelFile {
  readonly durable: Image;
  readonly pending: readonly FileChange[];
}

export interface ModelDirectory {
  readonly durable: Names;
  readonly pending: readonly NameChange[];
}

/**
 * Directories with their durable and pending parts: the bytes of each file, and the entries of each directory.
 *
 * Invariants:
 * - A sync of a file or of a directory makes exactly that durable which was pending in it when the sync began.
 * - Nothing else becomes durable: a file's sync does not include its name, nor a directory's sync the files' bytes, nor the
 *   directory's own name, which is an entry of its parent.
 * - fdatasync makes bytes and size durable, not owner and mode.
 */
export class ModelDisk {
  private readonly all = new Map<FileId, ModelFile>();
  private readonly entries = new Map<FileId, ModelDirectory>();
  private readonly blobs = new Set<FileId>();
  private last: Change | undefined;

  constructor(start: Disk) {
    for (const [name, file] of start.names) if (name.startsWith(`${AROUND_PATH}/`)) this.blobs.add(file);
    for (const [directory, durable] of entriesOf(start)) this.entries.set(directory, { durable, pending: [] });
    for (const [file, durable] of start.images) this.all.set(file, { durable, pending: [] });
  }

  get files(): ReadonlyMap<FileId, ModelFile> {
    return this.all;
  }

  get directories(): ReadonlyMap<FileId, ModelDirectory> {
    return this.entries;
  }

  /**
   * Which variants a file or a directory takes after the last change. In one directory it is always all of them. Beside a
   * blob directory the number of states would multiply: there a change varies what it has changed, and a sync varies
   * what may depend on it, without torn writes and mixed sectors.
   */
  varies(id: FileId): 'fully' | 'by changes' | 'no' {
    const { last } = this;
    if (!this.entries.has(AROUND) || last === undefined) return 'fully';
    if (last.kind !== 'sync' && last.kind !== 'sync-directory')
      return id === (isFileChange(last) ? last.file : (last.directory ?? SLAVE)) ? 'fully' : 'no';
    const isOfBlobs = last.kind === 'sync' ? this.isOfBlobs(last.file) : !isOfSlave(last);
    return !isOfBlobs || this.isOfBlobs(id) ? 'by changes' : 'no';
  }

  private isOfBlobs(id: FileId): boolean {
    return this.entries.has(id) ? id !== SLAVE : this.blobs.has(id);
  }

  apply(change: Change): void {
    this.last = change;
    if ('directory' in change && change.kind === 'create') this.blobs.add(change.file);
    if (change.lost) return;
    if (isFileChange(change)) {
      const { durable, pending } = this.file(change.file);
      this.all.set(change.file, { durable, pending: [...pending, change] });
    } else if (change.kind === 'sync') {
      const { durable, pending } = this.file(change.file);
      const isSynced = (each: FileChange): boolean =>
        (change.what === 'all' || each.kind !== 'attributes') && !change.except?.includes(each);
      const kept = pending.filter((each) => !isSynced(each));
      this.all.set(change.file, { durable: after(durable, pending.filter(isSynced)), pending: kept });
    } else if (change.kind === 'sync-directory') {
      const { durable, pending } = this.directory(change.directory);
      const isSynced = (each: NameChange): boolean => !change.except?.includes(each);
      const kept = pending.filter((each) => !isSynced(each));
      this.entries.set(change.directory ?? SLAVE, {
        durable: renamed(durable, pending.filter(isSynced)),
        pending: kept,
      });
    } else {
      if (change.kind === 'create') this.all.set(change.file, { durable: EMPTY, pending: [] });
      if (change.kind === 'make-directory') this.entries.set(change.file, { durable: new Map(), pending: [] });
      const { durable, pending } = this.directory(change.directory);
      this.entries.set(change.directory ?? SLAVE, { durable, pending: [...pending, change] });
    }
  }

  /** What processes on this machine see: all changes. */
  seen(): Disk {
    const visible = visibleIn(this.tree(({ durable, pending }) => renamed(durable, pending)));
    const images = new Map([...new Set(visible.names.values())].map((file) => [file, this.seenOf(file)]));
    return { ...visible, images };
  }

  seenOf(file: FileId): Image {
    const { durable, pending } = this.file(file);
    return pending.length === 0 ? durable : after(durable, pending);
  }

  /** The entries of all directories, as `of` makes them. */
  tree(of: (directory: ModelDirectory, id: FileId) => Names): Tree {
    return new Map([...this.entries].map(([id, directory]) => [id, of(directory, id)]));
  }

  private file(file: FileId): ModelFile {
    const found = this.all.get(file);
    if (!found) throw new Error(`the record changes file ${file}, which it never made`);
    return found;
  }

  private directory(directory: FileId = SLAVE): ModelDirectory {
    const found = this.entries.get(directory);
    if (!found) throw new Error(`the record changes directory ${directory}, which it never made`);
    return found;
  }
}
