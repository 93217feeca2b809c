import { readFileSync } from 'node:fs';

/** What a client of any site notes about one request. Times are seconds since 1970, by the client's clock. */
export interface Noted {
  readonly start: number;
  readonly end: number;
  readonly kind: string;
  readonly worker: string;
  /** HTTP status; 0: no answer. */
  readonly status: number;
  readonly error?: string;
}

/** What a client of the small site noted about one request. */
export interface Request extends Noted {
  /** page: a read; commit and blob: an acknowledged write if the status is 200. */
  readonly kind: 'page' | 'commit' | 'blob';
  readonly id: number;
  readonly tid?: string;
  /** The Zope client that answered, its process, and when that started. */
  readonly client?: string;
  readonly pid?: number;
  readonly started?: number;
}

/** What one load-main.ts does. */
export interface LoadSettings {
  readonly host: string;
  readonly writers: number;
  readonly readers: number;
  /** Each n-th write has a blob; 0: none. */
  readonly blobEach: number;
  readonly pauseMs: number;
  readonly timeoutMs: number;
  /** The ids are this one and those that follow. */
  readonly firstId: number;
}

/** The requests that a program has noted in a file, in the order in which they ended. */
export function readNotes<Note extends Noted>(file: string): readonly Note[] {
  const lines = readFileSync(file, 'utf8').split('\n');
  // The last one may be in the middle of being written.
  return lines.slice(0, -1).map((line) => JSON.parse(line) as Note);
}

/** Not with an error. */
export function isAnswered({ status }: Noted): boolean {
  return status >= 200 && status < 300;
}

export function isWrite(request: Request): boolean {
  return request.kind !== 'page';
}

/** A write that was acknowledged to the client. */
export function isAcknowledged(request: Request): boolean {
  return isWrite(request) && request.status === 200 && request.tid !== undefined;
}
