import type { FileId } from './change.js';

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

  /** For directories, which no operation names by inode. Numbers of the start that no inode has are reserved first. */
  makeDirectory(): FileId {
    return this.next++;
  }

  reserve(ids: Iterable<FileId>): void {
    for (const id of ids) this.next = Math.max(this.next, id + 1);
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
