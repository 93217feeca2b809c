/**
 * Where ZODB keeps a blob in its blob directory, after ZODB/blob.py. Paths are made from oid and tid alone.
 *
 * ```
 * bushy   0x00/0x00/0x00/0x00/0x00/0x00/0x12/0x34/0x03e9…16 digits of the tid.blob      a directory for each byte of the oid
 * lawn    0x1234/0x03e9….blob                                                          the oid without leading zeros
 * ```
 *
 * `.layout` holds the name, without a line end. `zeocache` is the third: the cache of a ZEO client, which is incomplete.
 */
export type Layout = 'bushy' | 'lawn';

export const LAYOUT_FILE = '.layout';
const SUFFIX = '.blob';
const DIGITS = 16;
const OID_BYTES = 8;

export interface BlobId {
  readonly oid: bigint;
  readonly tid: bigint;
}

/** The directory of an oid, relative to the blob directory, as its components. */
export function directoryOf(oid: bigint, layout: Layout): readonly string[] {
  if (layout === 'lawn') return [`0x${oid.toString(16)}`];
  const digits = oid.toString(16).padStart(DIGITS, '0');
  return Array.from({ length: OID_BYTES }, (_, byte) => `0x${digits.slice(2 * byte, 2 * byte + 2)}`);
}

export function fileNameOf(tid: bigint): string {
  return `0x${tid.toString(16).padStart(DIGITS, '0')}${SUFFIX}`;
}

/** The path relative to the blob directory. */
export function pathOf({ oid, tid }: BlobId, layout: Layout): string {
  return [...directoryOf(oid, layout), fileNameOf(tid)].join('/');
}

export function otherLayout(layout: Layout): Layout {
  return layout === 'bushy' ? 'lawn' : 'bushy';
}

/** The tid in the name of a blob's file; undefined for any other name. */
export function tidOfName(name: string): bigint | undefined {
  const digits = /^0x([0-9a-f]{16})\.blob$/.exec(name)?.[1];
  return digits === undefined ? undefined : BigInt(`0x${digits}`);
}

/** The oid that the components of a directory's path spell in either layout; undefined for any other path. */
export function oidOfDirectory(components: readonly string[]): bigint | undefined {
  const all = components.map((component) => /^0x([0-9a-f]+)$/.exec(component)?.[1]);
  if (all.length === OID_BYTES) {
    return all.every((digits) => digits?.length === 2) ? BigInt(`0x${all.join('')}`) : undefined;
  }
  const [digits] = all;
  if (all.length !== 1 || digits === undefined || digits.length > DIGITS) return undefined;
  return digits === '0' || !digits.startsWith('0') ? BigInt(`0x${digits}`) : undefined;
}

/** The text of a blob for messages: its path in the layout. */
export function nameOf(id: BlobId, layout: Layout): string {
  return pathOf(id, layout);
}
