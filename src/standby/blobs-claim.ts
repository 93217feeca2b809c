import { Misfit, textOfQuoted, wholeNumber } from './strict-lines.js';

/**
 * The blobs of the claim: every blob that a transaction before the claim names is in the manifest, and durable in the
 * slave's blob directory, or recorded as missing on the master.
 */
export interface BlobsClaim {
  /** Bytes of the manifest that count. */
  readonly length: number;
  /** XXH64 in its last seal, 16 hexadecimal digits. */
  readonly hash: string;
  /** Blobs that were copied, and their bytes. */
  readonly count: number;
  readonly bytes: number;
  /** Blobs that the master does not have. */
  readonly missing: number;
  /** Path of the slave's blob directory. */
  readonly directory: string;
}

export const BLOBS_LINE = /^blobs (\d+) ([0-9a-f]{16}) (\d+) (\d+) (\d+) (".*")$/;

/** The line of a `.dat`. */
export function formatBlobsClaim({ length, hash, count, bytes, missing, directory }: BlobsClaim): string {
  return `blobs ${length} ${hash} ${count} ${bytes} ${missing} ${JSON.stringify(directory)}`;
}

/** The fields of the line. Throws Misfit. */
export function readBlobsClaim([length, hash, count, bytes, missing, directory]: readonly string[]): BlobsClaim {
  const path = textOfQuoted(directory ?? '');
  if (path === undefined) throw new Misfit('its blob directory is no text');
  return {
    length: wholeNumber(length),
    hash: hash ?? '',
    count: wholeNumber(count),
    bytes: wholeNumber(bytes),
    missing: wholeNumber(missing),
    directory: path,
  };
}
