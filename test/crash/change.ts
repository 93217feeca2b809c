/** A file of the model: a number that is never reused, whatever the file system does with inodes. */
export type FileId = number;

/** A change of one file. */
export type FileChange =
  | { readonly kind: 'write'; readonly file: FileId; readonly position: number; readonly bytes: Uint8Array }
  | { readonly kind: 'truncate'; readonly file: FileId; readonly size: number }
  | { readonly kind: 'attributes'; readonly file: FileId };

/** A change of the directory. `file` is the one that is moved, or that gets or loses the name. */
export type NameChange =
  | { readonly kind: 'create' | 'unlink'; readonly file: FileId; readonly name: string }
  | { readonly kind: 'rename' | 'link'; readonly file: FileId; readonly from: string; readonly to: string };

export type SyncChange =
  | { readonly kind: 'sync'; readonly file: FileId; readonly what: 'data' | 'all' }
  | { readonly kind: 'sync-directory' };

/** One operation of a run in the slave's directory, and its caller. */
export type Change = (FileChange | NameChange | SyncChange) & {
  /** The call in the compiled sources; see call-site.ts. */
  readonly site: string;
  /** Names of the functions on the stack, innermost first. */
  readonly within: readonly string[];
  /** For a mutant: the call was made, and did nothing. */
  readonly lost?: boolean;
};

export function isFileChange(change: Change): change is Change & FileChange {
  return change.kind === 'write' || change.kind === 'truncate' || change.kind === 'attributes';
}
