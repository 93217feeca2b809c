import { checksumOfBytes } from '../io/checksum.js';
import { BlobSet } from './blob-set.js';
import type { BlobId } from './layout.js';

/**
 * The manifest, `Data.fs.blobs`: the blobs that the slave's transactions name, as they were copied. All integers are
 * big-endian and unsigned; every item has 32 bytes.
 *
 * ```
 * blob       oid 8   tid 8   length 8 (all ones: the master had no such file)   XXH64 of the contents 8 (0 then)
 * seal       all ones 8   blobs since the last seal 4   version 4   blobs in all 8   XXH64 8
 * ```
 *
 * A seal ends what one batch added. Its XXH64 is that of the hash in the seal before (8 bytes, zeros for the first one),
 * of the blobs since then and of its own first 24 bytes, so the last seal proves the whole file. A later entry of the
 * same blob replaces an earlier one. Bytes behind the last seal are those of a batch that was not finished.
 */
export const ITEM = 32;
const ONES = 0xffff_ffff_ffff_ffffn;
const VERSION = 1;
const SEAL_HASH_AT = 24;
/** Entries between two seals, at most. */
const MOST_SEALED = 1 << 15;

/** A blob as it was copied. `missing`: the master had no file of it. */
export type Copy = { readonly length: number; readonly hash: bigint } | 'missing';

/** What a manifest holds, in memory. */
export class Manifest {
  readonly ids = new BlobSet();
  /** Of the files that were copied. */
  bytes = 0;
  missing = 0;
  private lengths = new Float64Array(64);
  private hashes = new BigUint64Array(64);

  /** Blobs that were copied. */
  get count(): number {
    return this.ids.size - this.missing;
  }

  set(id: BlobId, copy: Copy): void {
    const before = this.ids.size;
    const number = this.ids.addId(id);
    if (this.ids.size > this.lengths.length) this.grow();
    if (number < before) this.discount(this.lengths[number] ?? 0);
    if (copy === 'missing') this.missing++;
    else this.bytes += copy.length;
    this.lengths[number] = copy === 'missing' ? -1 : copy.length;
    this.hashes[number] = copy === 'missing' ? 0n : copy.hash;
  }

  get(id: BlobId): Copy | undefined {
    const number = this.ids.numberOf(id);
    return number === undefined ? undefined : this.copyAt(number);
  }

  copyAt(number: number): Copy {
    const length = this.lengths[number] ?? 0;
    return length < 0 ? 'missing' : { length, hash: this.hashes[number] ?? 0n };
  }

  *missingIds(): Generator<BlobId> {
    for (let number = 0; number < this.ids.size; number++)
      if ((this.lengths[number] ?? 0) < 0) yield this.ids.idAt(number);
  }

  private discount(length: number): void {
    if (length < 0) this.missing--;
    else this.bytes -= length;
  }

  private grow(): void {
    const lengths = new Float64Array(2 * this.lengths.length);
    lengths.set(this.lengths);
    this.lengths = lengths;
    const hashes = new BigUint64Array(2 * this.hashes.length);
    hashes.set(this.hashes);
    this.hashes = hashes;
  }
}

/** The last seal: the hash that proves everything before it, and how many entries that are. */
export interface Seal {
  readonly hash: bigint;
  readonly entries: number;
}

export const NO_SEAL: Seal = { hash: 0n, entries: 0 };

/** Entries and their seal, to be appended behind `before`. */
export function sealed(entries: readonly (readonly [BlobId, Copy])[], before: Seal): { bytes: Uint8Array; seal: Seal } {
  const bytes = new Uint8Array((entries.length + 1) * ITEM);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [{ oid, tid }, copy] of entries) {
    view.setBigUint64(at, oid);
    view.setBigUint64(at + 8, tid);
    view.setBigUint64(at + 16, copy === 'missing' ? ONES : BigInt(copy.length));
    view.setBigUint64(at + 24, copy === 'missing' ? 0n : copy.hash);
    at += ITEM;
  }
  const all = before.entries + entries.length;
  view.setBigUint64(at, ONES);
  view.setUint32(at + 8, entries.length);
  view.setUint32(at + 12, VERSION);
  view.setBigUint64(at + 16, BigInt(all));
  const hash = chained(before.hash, bytes.subarray(0, at + SEAL_HASH_AT));
  view.setBigUint64(at + SEAL_HASH_AT, hash);
  return { bytes, seal: { hash, entries: all } };
}

/** A complete manifest in the order of oid and tid, in pieces. `seal` receives the last seal. */
export function* encodeManifest(manifest: Manifest, seal: (last: Seal) => void): Generator<Uint8Array> {
  const numbers = manifest.ids.sorted();
  let last = NO_SEAL;
  for (let from = 0; from === 0 || from < numbers.length; from += MOST_SEALED) {
    const entries = [...numbers.subarray(from, from + MOST_SEALED)].map(
      (number) => [manifest.ids.idAt(number), manifest.copyAt(number)] as const,
    );
    const piece = sealed(entries, last);
    last = piece.seal;
    yield piece.bytes;
  }
  seal(last);
}

/** Decodes a manifest as far as its seals prove it. Total: any bytes give a manifest, an empty one at worst. */
export function decodeManifest(bytes: Uint8Array): { manifest: Manifest; length: number; seal: Seal } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const manifest = new Manifest();
  let seal = NO_SEAL;
  let begin = 0;
  for (let at = 0; at + ITEM <= bytes.length; at += ITEM) {
    if (view.getBigUint64(at) !== ONES) continue;
    const entries = seal.entries + (at - begin) / ITEM;
    const isRight =
      view.getUint32(at + 8) === (at - begin) / ITEM &&
      view.getUint32(at + 12) === VERSION &&
      view.getBigUint64(at + 16) === BigInt(entries) &&
      view.getBigUint64(at + SEAL_HASH_AT) === chained(seal.hash, bytes.subarray(begin, at + SEAL_HASH_AT));
    if (!isRight) break;
    for (const [id, copy] of readEntries(bytes.subarray(begin, at))) manifest.set(id, copy);
    begin = at + ITEM;
    seal = { hash: view.getBigUint64(at + SEAL_HASH_AT), entries };
  }
  return { manifest, length: begin, seal };
}

/** Entries without seals among them. */
export function readEntries(bytes: Uint8Array): (readonly [BlobId, Copy])[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const entries: (readonly [BlobId, Copy])[] = [];
  for (let at = 0; at + ITEM <= bytes.length; at += ITEM) {
    const length = view.getBigUint64(at + 16);
    const copy = length === ONES ? 'missing' : { length: Number(length), hash: view.getBigUint64(at + 24) };
    entries.push([{ oid: view.getBigUint64(at), tid: view.getBigUint64(at + 8) }, copy]);
  }
  return entries;
}

/** Whether an item that was read as an entry is a seal: no object has this oid. */
export function isSeal({ oid }: BlobId): boolean {
  return oid === ONES;
}

/** How many entries the seal in these 32 bytes ends. */
export function entriesUnder(seal: Uint8Array): number {
  return new DataView(seal.buffer, seal.byteOffset).getUint32(8);
}

/** The seal in the 32 bytes that end a manifest; undefined where they are none. */
export function readSeal(bytes: Uint8Array): Seal | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < ITEM || view.getBigUint64(0) !== ONES || view.getUint32(12) !== VERSION) return undefined;
  return { hash: view.getBigUint64(SEAL_HASH_AT), entries: Number(view.getBigUint64(16)) };
}

function chained(before: bigint, bytes: Uint8Array): bigint {
  const all = new Uint8Array(8 + bytes.length);
  new DataView(all.buffer).setBigUint64(0, before);
  all.set(bytes, 8);
  return checksumOfBytes(all);
}
