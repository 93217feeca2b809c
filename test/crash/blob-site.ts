import { mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pickleMapping, type Value } from '../../src/demo/pickle.js';
import type { Edit, Site } from '../support/site.js';

export type BlobLayout = 'bushy' | 'lawn';

/** A blob of the fixtures. */
export interface BlobKey {
  readonly oid: bigint;
  readonly tid: bigint;
}

/** The record of every blob, as ZODB writes it. */
const RECORD = Buffer.from('\x80\x03cZODB.blob\nBlob\nq\x00.\x80\x03N.', 'latin1');
const ROOT = 0n;
const HEX = 16;

export function keyOf({ oid, tid }: BlobKey): string {
  return `${oid.toString(HEX)} ${tid.toString(HEX)}`;
}

/** Where ZODB keeps a blob, after ZODB/blob.py; written a second time here, so that the product does not judge itself. */
export function placeOf({ oid, tid }: BlobKey, layout: BlobLayout): string {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(oid);
  const directory = layout === 'lawn' ? reprOf(oid) : [...bytes].map(hexOf).join('/');
  return `${directory}/${reprOf(tid)}.blob`;
}

/** ZODB.utils.repr: whole bytes, without leading ones of zero. */
function reprOf(id: bigint): string {
  const digits = id.toString(HEX);
  return `0x${digits.length % 2 === 0 ? digits : `0${digits}`}`;
}

function hexOf(byte: number): string {
  return `0x${byte.toString(HEX).padStart(2, '0')}`;
}

/** The master's blob directory, and every blob that it ever had. */
export class BlobSite {
  /** By key. */
  readonly contents = new Map<string, Uint8Array>();
  /** Keys of the blobs whose file the master does not have. */
  readonly lost = new Set<string>();
  /** Of the blobs that are not packed away. */
  private readonly ids = new Map<string, BlobKey>();
  private time = Date.UTC(2026, 0, 1) / 1000;

  constructor(
    readonly directory: string,
    readonly layout: BlobLayout,
  ) {
    mkdirSync(directory);
    writeFileSync(join(directory, '.layout'), layout);
  }

  /** Commits blobs by oid, in one transaction. `twice`: each record is there twice, as a ZEO client writes it. */
  commit(site: Site, blobs: ReadonlyMap<bigint, string>, twice = false): bigint {
    const known = new Set(site.transactions.flatMap(({ records }) => records.map(({ oid }) => oid)));
    const edits: Edit[] = [];
    if ([...blobs.keys()].some((oid) => !known.has(oid))) {
      const all = [...new Set([...known, ...blobs.keys()])].filter((oid) => oid !== ROOT);
      edits.push({ oid: ROOT, data: pickleMapping(all.map((oid): [string, Value] => [`object-${oid}`, oid])) });
    }
    for (const oid of blobs.keys()) {
      edits.push({ oid, data: RECORD });
      if (twice) edits.push({ oid, data: RECORD });
    }
    const tid = site.commit({ user: 'editor', description: 'blobs', edits });
    for (const [oid, text] of blobs) this.add({ oid, tid }, Buffer.from(text));
    return tid;
  }

  /** Undoes the latest change of a blob: the same contents again, under the undo's tid. */
  undo(site: Site, oid: bigint): void {
    const earlier = [...this.ids.values()].filter((id) => id.oid === oid).at(-2);
    const bytes = earlier && this.contents.get(keyOf(earlier));
    if (!bytes) throw new Error(`blob ${oid} has no earlier contents`);
    const tid = site.commit({ user: 'editor', description: 'undo', edits: [{ oid, undo: true }] });
    this.add({ oid, tid }, bytes);
  }

  /** Packs the database, and removes what it does not name any more. */
  pack(site: Site): void {
    if (!site.pack()) throw new Error('the pack has freed nothing');
    const named = new Set(
      site.transactions.flatMap(({ tid, records }) => records.map(({ oid }) => keyOf({ oid, tid }))),
    );
    let removed = 0;
    for (const [key, id] of this.ids) {
      if (named.has(key)) continue;
      rmSync(this.pathOf(id));
      this.ids.delete(key);
      removed++;
    }
    if (removed === 0) throw new Error('the pack has removed no blob');
  }

  lose(id: BlobKey): void {
    rmSync(this.pathOf(id));
    this.lost.add(keyOf(id));
  }

  restore(id: BlobKey): void {
    this.write(id);
    this.lost.delete(keyOf(id));
  }

  pathOf(id: BlobKey): string {
    return join(this.directory, placeOf(id, this.layout));
  }

  private add(id: BlobKey, bytes: Uint8Array): void {
    this.ids.set(keyOf(id), id);
    this.contents.set(keyOf(id), bytes);
    this.write(id);
  }

  private write(id: BlobKey): void {
    const path = this.pathOf(id);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, this.contents.get(keyOf(id)) ?? '');
    utimesSync(path, this.time, this.time);
    this.time++;
  }
}
