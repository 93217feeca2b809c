/**
 * What only one side had, for programs: the contents of `lost-....json`, see docs/json.md. Tids and oids have 16 hexadecimal digits, times are ISO
 * 8601 in UTC or null for a tid without one. Fields are only ever added.
 */
export interface LostReport {
  /** The thin file, and the file that had the transactions. */
  readonly file: string;
  readonly source: string;
  /** The end of the last common transaction; its tid is null where there is none. */
  readonly fork: { readonly position: number; readonly tid: string | null; readonly time: string | null };
  readonly firstTid: string;
  readonly firstTime: string | null;
  readonly lastTid: string;
  readonly lastTime: string | null;
  /** Of the thin file. */
  readonly bytes: number;
  readonly counts: LostCounts;
  /** null: no transaction names a blob, or no blob directory was given. */
  readonly blobs: LostBlobsReport | null;
  /** Transactions or objects are not all listed; the counts are of all. */
  readonly truncated: boolean;
  /** In the order of the file. */
  readonly transactions: readonly LostTransaction[];
  readonly objects: readonly LostObject[];
}

export interface LostCounts {
  readonly transactions: number;
  readonly objects: number;
  /** Objects that have no record before the fork. */
  readonly createdHere: number;
  /** Blobs that the transactions name. */
  readonly blobs: number;
  /** What the serving side did since the fork; null before that is known. The first three are all objects together. */
  readonly unchanged: number | null;
  readonly changed: number | null;
  readonly deleted: number | null;
  /** Objects whose oid the serving side has given to an object of its own; they are among the changed or deleted ones. */
  readonly sameOid: number | null;
}

export interface LostBlobsReport {
  readonly directory: string;
  readonly files: number;
  readonly bytes: number;
  /** Blobs whose file was not found. */
  readonly missing: number;
}

export interface LostTransaction {
  readonly tid: string;
  readonly time: string | null;
  readonly user: string;
  readonly description: string;
  readonly status: string;
  /** In the original, with header and trailer. */
  readonly bytes: number;
  /** Number of records. */
  readonly objects: number;
  /** The objects that are listed. */
  readonly oids: readonly string[];
}

export interface LostObject {
  readonly oid: string;
  /** The newest transaction that has it, and how many have. */
  readonly tid: string;
  readonly revisions: number;
  /** Of its newest data; 0: its creation was undone. */
  readonly bytes: number;
  /** `module.Name`; null where the record does not show it. */
  readonly class: string | null;
  readonly blob: boolean;
  /** It has no record before the fork. */
  readonly createdHere: boolean;
  /** What the serving side did with it since the fork, and its newest transaction that did. null before that is known. */
  readonly since: 'unchanged' | 'changed' | 'deleted' | null;
  readonly sinceTid: string | null;
  readonly sinceTime: string | null;
  /** The serving side has given its oid to an object of its own. null: not known. */
  readonly sameOid: boolean | null;
}

/** More are counted only: a report has to fit into memory. */
export const MOST_TRANSACTIONS = 10_000;
export const MOST_OBJECTS = 100_000;
