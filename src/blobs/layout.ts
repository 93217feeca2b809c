/**
 * Where ZODB keeps a blob in its blob directory, after ZODB/blob.py. Paths are made from oid and tid alone.
 *
 * ```
 * bushy   0x00/0x00/0x00/0x00/0x00/0x00/0x02/0x34/0x03e9….blob      a directory for each byte of the oid
 * lawn    0x0234/0x03e9….blob                                       the oid
 * ```
 *
 * ZODB writes oids (of a lawn) and tids without leading bytes of zero, but two digits for each of the others, and 00 for 0.
 *
 * `.layout` holds the name, without a line end. `zeocache` is the third: the cache of a ZEO client, which is incomplete.
 */
export type Layout = 'bushy' | 'lawn';

export const LAYOUT_FILE = '.layout';
const SUFFIX = '.blob';
const NO_OID = 0xffff_ffff_ffff_ffffn;
const OID_BYTES = 8;
/** `repr` of ZODB.utils: whole bytes, the first of them not zero unless it is the only one. */
const REPR = '0x(00|(?!00)(?:[0-9a-f]{2}){1,8})';
const DIRECTORY = new RegExp(`^${REPR}$`);
const NAME = new RegExp(`^${REPR}\\.blob$`);

export interface BlobId {
  readonly oid: bigint;
  readonly tid: bigint;
}

/** The directory of an oid, relative to the blob directory, as its components. */
export function directoryOf(oid: bigint, layout: Layout): readonly string[] {
  if (layout === 'lawn') return [reprOf(oid)];
  const digits = oid.toString(16).padStart(2 * OID_BYTES, '0');
  return Array.from({ length: OID_BYTES }, (_, byte) => `0x${digits.slice(2 * byte, 2 * byte + 2)}`);
}

export function fileNameOf(tid: bigint): string {
  return `${reprOf(tid)}${SUFFIX}`;
}

function reprOf(id: bigint): string {
  const digits = id.toString(16);
  return `0x${digits.length % 2 === 0 ? digits : `0${digits}`}`;
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
  const digits = NAME.exec(name)?.[1];
  return digits === undefined ? undefined : BigInt(`0x${digits}`);
}

/**
 * The oid that the components of a directory's path spell in either layout; undefined for any other path, and for the
 * oid of ones alone: no object has it, and it marks a seal in a manifest.
 */
export function oidOfDirectory(components: readonly string[]): bigint | undefined {
  const oid = components.length === 1 ? oidOf(components) : oidOfBytes(components);
  return oid === NO_OID ? undefined : oid;
}

function oidOf([component = '']: readonly string[]): bigint | undefined {
  const digits = DIRECTORY.exec(component)?.[1];
  return digits === undefined ? undefined : BigInt(`0x${digits}`);
}

function oidOfBytes(components: readonly string[]): bigint | undefined {
  if (components.length !== OID_BYTES) return undefined;
  const all = components.map((component) => /^0x([0-9a-f]{2})$/.exec(component)?.[1]);
  return all.every((digits) => digits !== undefined) ? BigInt(`0x${all.join('')}`) : undefined;
}
