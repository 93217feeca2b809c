import { createHash } from 'node:crypto';
import { type Dat, formatDat, parseDat } from '../../src/standby/dat.js';
import { xxh64 } from '../support/chunks.js';
import type { FileChange } from './change.js';

/** The content of one file at one moment. Immutable. */
export interface Image {
  readonly bytes: Uint8Array;
  /** The number of changes of owner, mode and time. */
  readonly attributes: number;
  /** The time of the last modification, if one was set since the last write; nanoseconds since the epoch. */
  readonly modified?: string | undefined;
}

export const EMPTY: Image = { bytes: new Uint8Array(), attributes: 0 };

/** The image after some changes, in order. Gaps are zeros. */
export function after(image: Image, changes: readonly FileChange[]): Image {
  let size = image.bytes.length;
  let highest = size;
  for (const change of changes) {
    if (change.kind === 'write') size = Math.max(size, change.position + change.bytes.length);
    else if (change.kind === 'truncate') size = change.size;
    highest = Math.max(highest, size);
  }
  const bytes = new Uint8Array(highest);
  bytes.set(image.bytes);
  let { attributes, modified } = image;
  let end = image.bytes.length;
  for (const change of changes) {
    if (change.kind === 'attributes') {
      attributes++;
      modified = change.modified ?? modified;
      continue;
    }
    modified = undefined;
    if (change.kind === 'write') {
      bytes.set(change.bytes, change.position);
      end = Math.max(end, change.position + change.bytes.length);
    } else {
      bytes.fill(0, change.size, Math.max(end, change.size));
      end = change.size;
    }
  }
  return { bytes: bytes.subarray(0, size), attributes, ...(modified !== undefined && { modified }) };
}

/** The image extended with zeros to at least this many bytes. */
export function extended(image: Image, size: number): Image {
  return image.bytes.length >= size ? image : after(image, [{ kind: 'truncate', file: 0, size }]);
}

const digests = new WeakMap<Image, string>();

export function digestOf(image: Image): string {
  let digest = digests.get(image);
  if (digest === undefined) {
    const { bytes, attributes, modified = '' } = image;
    digest = createHash('sha1').update(bytes).update(`${attributes}${modified}`).digest('base64');
    digests.set(image, digest);
  }
  return digest;
}

const dats = new WeakMap<Image, { readonly dat: Dat | undefined }>();

/** The `.dat` that this image holds; undefined if it is anything else, or torn. */
export function datIn(image: Image): Dat | undefined {
  let found = dats.get(image);
  if (found === undefined) {
    const parsed = parseDat(Buffer.from(image.bytes).toString('utf8'));
    found = { dat: 'dat' in parsed ? parsed.dat : undefined };
    dats.set(image, found);
  }
  return found.dat;
}

/** The blob directory in the `.dat` of the model: a path that does not depend on where a state is written. */
export const BLOBS = '../blobs';

/** The bytes; in a complete `.dat` the inode is replaced, and the path of the slave's blob directory. */
export function withInode(
  bytes: Uint8Array,
  inodeOf: (inode: string) => string,
  moved: { readonly from: string; readonly to: string } = { from: '', to: '' },
): Uint8Array {
  const parsed = parseDat(Buffer.from(bytes).toString('utf8'));
  if (!('dat' in parsed)) return bytes;
  if (parsed.old) {
    const lines = Buffer.from(bytes).toString('utf8').split('\n');
    const body = lines
      .slice(0, -2)
      .map((line) => `${line.replace(/^slave (\d+)$/, (_, inode) => `slave ${inodeOf(inode)}`)}\n`);
    return Buffer.from(`${body.join('')}end ${parsed.dat.chunks.length} ${xxh64(Buffer.from(body.join('')))}\n`);
  }
  const { dat } = parsed;
  const isHere = dat.blobs?.directory === moved.from;
  const blobs = dat.blobs && (isHere ? { ...dat.blobs, directory: moved.to } : dat.blobs);
  return Buffer.from(formatDat({ ...dat, slaveInode: inodeOf(dat.slaveInode), ...(blobs && { blobs }) }));
}
