import { checksumOfBytes } from '../../src/io/checksum.js';

/** The hash of a blob's contents in the manifest. */
export function hashOfBytes(bytes: Uint8Array): bigint {
  return checksumOfBytes(bytes);
}
