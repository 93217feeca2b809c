/**
 * Every change that src/io makes to a file system, reported to a listener: the crash tests build all legal states of
 * the disk from it. The product sets no listener.
 */
export type DiskOperation =
  | { readonly kind: 'create'; readonly path: string; readonly inode: string }
  | {
      readonly kind: 'write';
      readonly path: string;
      readonly inode: string;
      readonly position: number;
      readonly bytes: Uint8Array;
    }
  | { readonly kind: 'truncate'; readonly path: string; readonly inode: string; readonly size: number }
  /** `data`: fdatasync; `all`: fsync. */
  | { readonly kind: 'sync'; readonly path: string; readonly inode: string; readonly what: 'data' | 'all' }
  | { readonly kind: 'attributes'; readonly path: string; readonly inode: string }
  | { readonly kind: 'rename' | 'link'; readonly from: string; readonly to: string }
  | { readonly kind: 'unlink'; readonly path: string }
  | { readonly kind: 'make-directory' | 'remove-directory'; readonly path: string }
  | { readonly kind: 'sync-directory'; readonly path: string };

/** Called after `operation` has succeeded. */
export type DiskObserver = (operation: DiskOperation) => void;

let observer: DiskObserver | undefined;

/** Sets the only listener; undefined removes it. */
export function observeDisk(listener: DiskObserver | undefined): void {
  observer = listener;
}

/** Reports an operation that has succeeded. Calls `describe` only if there is a listener. */
export function notice(describe: () => DiskOperation): void {
  if (observer) observer(describe());
}
