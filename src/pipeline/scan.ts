import type { ByteSource } from '../filestorage/backward.js';
import type { BlobNamesCollector } from '../filestorage/blob-names.js';
import { MAGIC_LENGTH } from '../filestorage/layout.js';
import { ZERO_TID } from '../filestorage/tid.js';
import { Walk } from '../filestorage/walk.js';
import type { WalkEvents } from '../filestorage/walk-options.js';
import type { OpenFile } from '../io/open-file.js';
import type { ReadInto } from './chunk.js';
import type { Damage } from './damage.js';
import { finishedEnd } from './finished-end.js';
import type { Window } from './window.js';

/** A file that can be read in windows and by position. */
export interface Readable extends ByteSource {
  readonly path: string;
  readonly read: ReadInto;
}

/** A local file, such as the slave's, as a Readable of its current size. */
export function readableFile(file: OpenFile): Readable {
  return {
    path: file.path,
    size: file.facts().size,
    read: (window, length, position) => file.read(window.bytes, length, position),
    readBytes: (into, position) => file.read(into, into.length, position),
  };
}

/** The file as if it ended at `size` at the latest. */
export function upTo(file: Readable, size: number): Readable {
  return {
    path: file.path,
    size: Math.min(file.size, size),
    read: file.read,
    readBytes: (into, position) => file.readBytes(into, position),
  };
}

/** Walks a file from a transaction boundary to where the walk stops. Reads all of it. `blobs` receives the blobs that it names. */
export async function scan(
  file: Readable,
  window: Window,
  start: number,
  lastTid = ZERO_TID,
  events: WalkEvents = {},
  blobs?: BlobNamesCollector,
): Promise<Walk> {
  const walk = new Walk({ start, limit: file.size, cutAt: Number.POSITIVE_INFINITY, lastTid, blobs }, events);
  let position = start;
  while (walk.stop === undefined) {
    const requested = Math.min(window.size, file.size - position);
    const length = await file.read(window, requested, position);
    walk.feed(window.view, length);
    position += length;
    if (length < requested || position >= file.size) walk.finish();
  }
  return walk;
}

/** The first damage of a file; undefined if there is none before its end. Reads all of it. */
export async function damageIn(file: Readable, window: Window): Promise<Damage | undefined> {
  const { stop } = await scan(file, window, MAGIC_LENGTH);
  return stop?.kind === 'damaged' ? stop : undefined;
}

/**
 * A place from which the file's transactions can be read backwards, now and later: the end of its last finished one.
 * What is in flight at the very end does not count, however complete it looks: it may be aborted, and its bytes gone,
 * before they are read again. If the file's end does not show the place, it is found by walking on from `boundary`.
 */
export async function readableEnd(file: Readable, window: Window, boundary = MAGIC_LENGTH): Promise<number> {
  return (await finishedEnd(file)) ?? (await scan(file, window, boundary)).end;
}

/** Position of the first byte in which two pieces differ; undefined when the shorter is a prefix of the longer. */
export function firstDifference(a: Uint8Array, b: Uint8Array): number | undefined {
  const length = Math.min(a.length, b.length);
  if (Buffer.compare(a.subarray(0, length), b.subarray(0, length)) === 0) return undefined;
  let at = 0;
  while (a[at] === b[at]) at++;
  return at;
}
