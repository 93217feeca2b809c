import { type Change, type FileChange, type FileId, isFileChange, type NameChange } from './change.js';
import { after, EMPTY, type Image } from './image.js';

export type Names = ReadonlyMap<string, FileId>;

/** A directory whose files are all durable. */
export interface Disk {
  readonly names: Names;
  readonly images: ReadonlyMap<FileId, Image>;
}

export interface ModelFile {
  readonly durable: Image;
  readonly pending: readonly FileChange[];
}

/**
 * One directory with its durable and pending parts: the bytes of each file, and the names.
 *
 * Invariants:
 * - A sync of a file or of the directory makes exactly that durable which was pending in it at that moment.
 * - Nothing else becomes durable: a file's sync does not include its name, nor the directory's sync the files' bytes.
 * - fdatasync makes bytes and size durable, not owner and mode.
 */
export class ModelDisk {
  private readonly all = new Map<FileId, ModelFile>();
  private durableNames: Names;
  private pendingNames: NameChange[] = [];

  constructor(start: Disk) {
    this.durableNames = start.names;
    for (const [file, durable] of start.images) this.all.set(file, { durable, pending: [] });
  }

  get files(): ReadonlyMap<FileId, ModelFile> {
    return this.all;
  }

  get names(): { readonly durable: Names; readonly pending: readonly NameChange[] } {
    return { durable: this.durableNames, pending: this.pendingNames };
  }

  apply(change: Change): void {
    if (change.lost) return;
    if (isFileChange(change)) {
      const { durable, pending } = this.file(change.file);
      this.all.set(change.file, { durable, pending: [...pending, change] });
    } else if (change.kind === 'sync') {
      const { durable, pending } = this.file(change.file);
      const kept = change.what === 'all' ? [] : pending.filter(({ kind }) => kind === 'attributes');
      const synced = change.what === 'all' ? pending : pending.filter(({ kind }) => kind !== 'attributes');
      this.all.set(change.file, { durable: after(durable, synced), pending: kept });
    } else if (change.kind === 'sync-directory') {
      this.durableNames = renamed(this.durableNames, this.pendingNames);
      this.pendingNames = [];
    } else {
      if (change.kind === 'create') this.all.set(change.file, { durable: EMPTY, pending: [] });
      this.pendingNames = [...this.pendingNames, change];
    }
  }

  /** What processes on this machine see: all changes. */
  seen(): Disk {
    const names = renamed(this.durableNames, this.pendingNames);
    const images = new Map([...new Set(names.values())].map((file) => [file, this.seenOf(file)]));
    return { names, images };
  }

  seenOf(file: FileId): Image {
    const { durable, pending } = this.file(file);
    return pending.length === 0 ? durable : after(durable, pending);
  }

  private file(file: FileId): ModelFile {
    const found = this.all.get(file);
    if (!found) throw new Error(`the record changes file ${file}, which it never made`);
    return found;
  }
}

/** The names after some changes. A change whose predecessor is lost still has its own effect: it is a separate write. */
export function renamed(names: Names, changes: readonly NameChange[]): Names {
  const result = new Map(names);
  for (const change of changes) {
    if ('name' in change) {
      if (change.kind === 'create') result.set(change.name, change.file);
      else result.delete(change.name);
    } else {
      if (change.kind === 'rename' && result.get(change.from) === change.file) result.delete(change.from);
      result.set(change.to, change.file);
    }
  }
  return result;
}
