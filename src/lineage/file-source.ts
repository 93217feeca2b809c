import type { ByteSource } from '../filestorage/backward.js';
import type { OpenFile } from '../io/open-file.js';
import type { ForwardSource } from './forward-bytes.js';

/** An open file of this machine, as far as `end`. */
export function fileSource(file: OpenFile, end: number): ForwardSource {
  return {
    size: end,
    endsAt: (position) => position >= end,
    readBytes: (into, position) => file.read(into, Math.max(0, Math.min(into.length, end - position)), position),
  };
}

/** Anything that is read by position, as far as `end`, or where it ends before. */
export function sourceOf(file: ByteSource, upTo: number): ForwardSource {
  const end = Math.min(upTo, file.size);
  return {
    size: end,
    endsAt: (position) => position >= end,
    readBytes: (into, position) => file.readBytes(into.subarray(0, Math.max(0, end - position)), position),
  };
}
