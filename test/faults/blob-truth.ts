import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseDat } from '../../src/standby/dat.js';
import { transactionEdges } from '../crash/edges.js';
import { inodeOf } from '../crash/record.js';
import type { BlobPair } from '../support/blob-pair.js';

const HEADER = 23;
const RECORD_HEADER = 42;
const ITEM = 32;
const ONES = 0xffff_ffff_ffff_ffffn;

/** What a run may and may not have done to the slave's blobs. It reads everything by itself, not with the program. */
export class BlobTruth {
  private readonly contents: ReadonlyMap<string, Buffer>;
  /** Blobs that the slave's transactions named before the run, and that it did not have. */
  private readonly lackedBefore: ReadonlySet<string>;

  /** Before the run: both sides have the right bytes. `shown`: the slave's transactions. */
  constructor(
    private readonly pair: BlobPair,
    shown: Buffer | undefined,
  ) {
    const ours = blobsIn(pair.slaveBlobs);
    this.contents = new Map([...ours, ...blobsIn(pair.masterBlobs)]);
    this.lackedBefore = new Set(namedIn(shown, pair).filter((name) => !ours.has(name)));
  }

  /** What has a blob's name is a complete blob with the right bytes. */
  assertFiles(): void {
    for (const [name, bytes] of blobsIn(this.pair.slaveBlobs)) {
      const right = this.contents.get(name);
      assert.ok(right, `${name} on the slave is a blob that nobody has written`);
      assert.ok(
        right.equals(bytes),
        `${name} on the slave has ${bytes.length} bytes of ${right.length}, or other ones`,
      );
    }
  }

  /** Every blob that the slave's transactions name is there, and the claim about them is true. */
  assertShown(shown: Buffer): void {
    const { pair } = this;
    const there = new Set(blobsIn(pair.slaveBlobs).keys());
    const lacking = namedIn(shown, pair).filter((name) => !there.has(name));
    const newly = lacking.filter((name) => !this.lackedBefore.has(name));
    assert.deepEqual(newly, [], 'the slave shows transactions without their blobs');
    const claim = claimOf(pair);
    if (claim === undefined) return;
    const manifest = this.manifest(claim);
    for (const name of namedIn(shown.subarray(0, claim.position), pair)) {
      const length = manifest.get(name);
      assert.notEqual(length, undefined, `${name} is claimed, and not in the manifest`);
      if (length === ONES) assert.ok(this.lackedBefore.has(name), `${name} is claimed to be missing`);
      else assert.ok(there.has(name), `${name} is claimed to be there`);
      if (length !== ONES) assert.equal(Number(length), this.contents.get(name)?.length, `length of ${name}`);
    }
  }

  /** The slave has exactly the blobs that the master's transactions name, and nothing else in its directory. */
  assertInStep(master: Buffer): void {
    const { pair } = this;
    this.assertFiles();
    this.assertShown(master);
    const named = [...new Set(namedIn(master, pair))].sort();
    assert.deepEqual([...blobsIn(pair.slaveBlobs).keys()].sort(), named, 'the blobs of the slave');
    const root = statSync(pair.slaveBlobs);
    for (const entry of readdirSync(pair.slaveBlobs, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      const { mode, uid, gid } = statSync(path);
      if (entry.isDirectory()) {
        assert.deepEqual([mode, uid, gid], [root.mode, root.uid, root.gid], `mode and owner of the directory ${path}`);
      } else if (entry.name.endsWith('.blob')) {
        assert.equal(mode & 0o777, 0o444, `mode of ${path}`);
      } else assert.equal(relative(pair.slaveBlobs, path), '.layout', 'nothing else is left behind');
    }
    assert.equal(readFileSync(join(pair.slaveBlobs, '.layout'), 'utf8'), pair.layout);
    const claim = claimOf(pair);
    assert.deepEqual([claim?.position, claim?.count, claim?.missing], [master.length, named.length, 0], 'the claim');
  }

  /** The lengths of the blobs in the part of the manifest that counts; all ones for one that the master lacks. */
  private manifest({ length, hash }: Claim): ReadonlyMap<string, bigint> {
    const { slaveFile } = this.pair;
    const bytes = [`${slaveFile}.blobs`, `${slaveFile}.new.blobs`]
      .filter(existsSync)
      .map((path) => readFileSync(path).subarray(0, length))
      .find((each) => each.subarray(-8).toString('hex') === hash);
    assert.ok(bytes, 'there is the manifest that is claimed');
    assert.equal(bytes.length, length);
    const lengths = new Map<string, bigint>();
    for (let at = 0; at < length; at += ITEM) {
      const [oid, tid] = [bytes.readBigUInt64BE(at), bytes.readBigUInt64BE(at + 8)];
      if (oid !== ONES) lengths.set(nameOf(oid, tid), bytes.readBigUInt64BE(at + 16));
    }
    return lengths;
  }
}

interface Claim {
  readonly position: number;
  readonly length: number;
  readonly hash: string;
  readonly count: number;
  readonly missing: number;
}

/** What is claimed of the blobs; undefined where nothing is. */
function claimOf(pair: BlobPair): Claim | undefined {
  for (const path of [pair.dat, `${pair.slaveFile}.new.dat`].filter(existsSync)) {
    const parsed = parseDat(readFileSync(path, 'utf8'));
    if (!('dat' in parsed) || parsed.dat.slaveInode !== inodeOf(pair.slaveFile)) continue;
    const { blobs, claim } = parsed.dat;
    return blobs && { position: claim.position, ...blobs };
  }
  return undefined;
}

/** The names that end with .blob, relative to the directory, and their bytes. */
function blobsIn(directory: string): ReadonlyMap<string, Buffer> {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.blob'));
  return new Map(names.map((name) => [name, readFileSync(join(directory, name))]));
}

/** The blobs that the transactions of a file name. */
function namedIn(file: Buffer | undefined, { record }: BlobPair): string[] {
  if (!file) return [];
  const edges = transactionEdges(file);
  return edges.slice(0, -1).flatMap((start, index) => {
    const texts = [17, 19, 21].map((at) => file.readUInt16BE(start + at)).reduce((sum, length) => sum + length);
    const names: string[] = [];
    const end = edges[index + 1]! - 8;
    for (let at = start + HEADER + texts; at < end; ) {
      const length = Number(file.readBigUInt64BE(at + 34));
      const data = file.subarray(at + RECORD_HEADER, at + RECORD_HEADER + length);
      if (data.equals(record)) names.push(nameOf(file.readBigUInt64BE(at), file.readBigUInt64BE(at + 8)));
      at += RECORD_HEADER + (length || 8);
    }
    return names;
  });
}

/** In the layout bushy. */
function nameOf(oid: bigint, tid: bigint): string {
  const digits = oid.toString(16).padStart(16, '0').match(/../g) ?? [];
  return [...digits.map((byte) => `0x${byte}`), `0x${tid.toString(16).padStart(16, '0')}.blob`].join('/');
}
