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
  /** `modified`: the time that was set, in nanoseconds since the epoch; without it, owner or mode. */
  | { readonly kind: 'attributes'; readonly path: string; readonly inode: string; readonly modified?: string }
  | { readonly kind: 'rename' | 'link'; readonly from: string; readonly to: string }
  | { readonly kind: 'unlink'; readonly path: string }
  | { readonly kind: 'make-directory' | 'remove-directory'; readonly path: string }
  | { readonly kind: 'sync-directory'; readonly path: string };

/** Called after `operation` has succeeded. */
export type DiskObserver = (operation: DiskOperation) => void;

let observer: DiskObserver | undefined;
let beginObserver: DiskObserver | undefined;

/** Sets the only listener; undefined removes it. `onBegin` is called as an operation of the thread pool begins. */
export function observeDisk(listener: DiskObserver | undefined, onBegin?: DiskObserver): void {
  observer = listener;
  beginObserver = onBegin;
}

/** Reports an operation that has succeeded. Calls `describe` only if there is a listener. */
export function notice(describe: () => DiskOperation): void {
  if (observer) observer(describe());
}

/**
 * Reports an operation in the thread pool as it begins; the function that is returned reports it once it has succeeded,
 * with the same object. It need not cover what happens in between.
 */
export function noticeBegin(describe: () => DiskOperation): () => void {
  if (!observer) return () => {};
  const operation = describe();
  beginObserver?.(operation);
  return () => notice(() => operation);
}
