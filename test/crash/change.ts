/** A file or a directory of the model: a number that is never reused, whatever the file system does with inodes. */
export type FileId = number;

/** The slave's directory, and the one around it, which holds the blob directory. Files have numbers from 1. */
export const SLAVE: FileId = 0;
export const AROUND: FileId = -1;

/** A change of one file. */
export type FileChange =
  | { readonly kind: 'write'; readonly file: FileId; readonly position: number; readonly bytes: Uint8Array }
  | { readonly kind: 'truncate'; readonly file: FileId; readonly size: number }
  /** `modified`: the time that was set; without it, owner or mode. */
  | { readonly kind: 'attributes'; readonly file: FileId; readonly modified?: string | undefined };

/**
 * A change of a directory's entries. `file` is the one that is moved, or that gets or loses the name, which is a path
 * relative to the slave's directory. `directory`: the one with the entry; by default the slave's.
 */
export type NameChange = { readonly directory?: FileId } & (
  | {
      readonly kind: 'create' | 'unlink' | 'make-directory' | 'remove-directory';
      readonly file: FileId;
      readonly name: string;
    }
  | { readonly kind: 'rename' | 'link'; readonly file: FileId; readonly from: string; readonly to: string }
);

/** `except`: changes that were made while the sync was under way, and which it need not cover. */
export type SyncChange = { readonly except?: readonly unknown[] } & (
  | { readonly kind: 'sync'; readonly file: FileId; readonly what: 'data' | 'all' }
  | { readonly kind: 'sync-directory'; readonly directory?: FileId }
);

/** One operation of a run in the slave's directory or its blob directory, and its caller. */
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

/** Whether a change is one of the entries of the slave's own directory, or makes them durable. */
export function isOfSlave({ directory = SLAVE }: { readonly directory?: FileId }): boolean {
  return directory === SLAVE;
}
