import type { ByteSource } from '../filestorage/backward.js';
import type { OpenFile } from '../io/open-file.js';
import type { ForwardSource } from './forward-bytes.js';

/** A local open file, up to `end`. */
export function fileSource(file: OpenFile, end: number): ForwardSource {
  return {
    size: end,
    endsAt: (position) => position >= end,
    readBytes: (into, position) => file.read(into, Math.max(0, Math.min(into.length, end - position)), position),
  };
}

/** Anything that is read by position, up to `upTo` or its own end. */
export function sourceOf(file: ByteSource, upTo: number): ForwardSource {
  const end = Math.min(upTo, file.size);
  return {
    size: end,
    endsAt: (position) => position >= end,
    readBytes: (into, position) => file.readBytes(into.subarray(0, Math.max(0, end - position)), position),
  };
}
