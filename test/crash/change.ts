/** A file as the model knows it: a number that is never used for another one, whatever the file system does with inodes. */
export type FileId = number;

/** What happens to one file. */
export type FileChange =
  | { readonly kind: 'write'; readonly file: FileId; readonly position: number; readonly bytes: Uint8Array }
  | { readonly kind: 'truncate'; readonly file: FileId; readonly size: number }
  | { readonly kind: 'attributes'; readonly file: FileId };

/** What happens to the directory. `file` is the one that moves, or gets or loses the name. */
export type NameChange =
  | { readonly kind: 'create' | 'unlink'; readonly file: FileId; readonly name: string }
  | { readonly kind: 'rename' | 'link'; readonly file: FileId; readonly from: string; readonly to: string };

export type SyncChange =
  | { readonly kind: 'sync'; readonly file: FileId; readonly what: 'data' | 'all' }
  | { readonly kind: 'sync-directory' };

/** One operation of a run, in the slave's directory, and who asked for it. */
export type Change = (FileChange | NameChange | SyncChange) & {
  /** The call in the compiled sources; see call-site.ts. */
  readonly site: string;
  /** Names of the functions that were at work, innermost first. */
  readonly within: readonly string[];
  /** A mutant's: the call was made, and did nothing. */
  readonly lost?: boolean;
};

export function isFileChange(change: Change): change is Change & FileChange {
  return change.kind === 'write' || change.kind === 'truncate' || change.kind === 'attributes';
}
