import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type BlobId, type Layout, pathOf } from '../../src/blobs/layout.js';
import { BLOB_RECORD } from './blob-records.js';
import { assertNoCrash, type Run, type RunOptions, syncpozo } from './cli.js';
import { Pair } from './pair.js';
import { withTempDir } from './site.js';

/** Objects with blobs have oids from here on, so that bushy directories have more than one level of their own. */
const FIRST_OID = 0x1_02fdn;

/** A pair with blob directories beside the two others; the slave's is empty. */
export class BlobPair extends Pair {
  readonly masterBlobs: string;
  readonly slaveBlobs: string;
  private nextOid = FIRST_OID;

  constructor(
    directory: string,
    readonly layout: Layout = 'bushy',
    readonly record: Uint8Array = BLOB_RECORD,
    slaveBlobs?: string,
  ) {
    super(directory);
    this.masterBlobs = join(directory, 'master-blobs');
    this.slaveBlobs = slaveBlobs ?? join(directory, 'slave-blobs');
    mkdirSync(this.masterBlobs);
    if (slaveBlobs === undefined) mkdirSync(this.slaveBlobs);
    writeFileSync(join(this.masterBlobs, '.layout'), layout);
  }

  /** Commits new objects with these blobs, in one transaction. */
  commitBlobs(...contents: readonly (string | Uint8Array)[]): BlobId[] {
    return this.commitTo(contents.map((content) => [this.nextOid++, content]));
  }

  /** Commits other contents of an object's blob. */
  edit({ oid }: BlobId, content: string | Uint8Array): BlobId {
    return this.commitTo([[oid, content]])[0]!;
  }

  /** As ZODB does it: the transaction is voted, the blobs get their names, the transaction is finished. */
  private commitTo(changes: readonly (readonly [bigint, string | Uint8Array])[]): BlobId[] {
    const tid = this.site.vote({ edits: changes.map(([oid]) => ({ oid, data: this.record })) });
    const ids = changes.map(([oid, content]) => {
      this.write({ oid, tid }, content);
      return { oid, tid };
    });
    this.site.finish();
    return ids;
  }

  /** Writes a blob's file on the master. */
  write(id: BlobId, content: string | Uint8Array): void {
    const path = this.onMaster(id);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    chmodSync(path, 0o444);
  }

  onMaster(id: BlobId): string {
    return join(this.masterBlobs, pathOf(id, this.layout));
  }

  onSlave(id: BlobId): string {
    return join(this.slaveBlobs, pathOf(id, this.layout));
  }

  get manifest(): string {
    return join(this.slave, 'Data.fs.blobs');
  }

  get blobArgs(): string[] {
    return ['--quiet', '--blobs', `${this.masterBlobs}:${this.slaveBlobs}`];
  }

  syncBlobs(...more: string[]): Run {
    return this.sync(...this.blobArgs, ...more);
  }

  syncBlobsWith(options: RunOptions, ...more: string[]): Run {
    return syncpozo(this.syncArgs(...this.blobArgs, ...more), options);
  }

  /** A sync with blobs, which must succeed. */
  syncedBlobs(...more: string[]): Run {
    const run = this.syncBlobs(...more);
    assertNoCrash(run);
    assert.equal(run.exit, 0, run.all);
    return run;
  }

  assertSameBlobs(ids: readonly BlobId[]): void {
    for (const id of ids) {
      const [ours, theirs] = [readFileSync(this.onSlave(id)), readFileSync(this.onMaster(id))];
      assert.ok(ours.equals(theirs), `${this.onSlave(id)} equals the master's`);
    }
  }
}

export interface BlobPairOptions {
  readonly layout?: Layout;
  /** The data of every object with a blob. */
  readonly record?: Uint8Array;
  /** An empty directory for the slave's blobs. */
  readonly slaveBlobs?: string;
}

export async function withBlobPair(
  use: (pair: BlobPair) => void | Promise<void>,
  { layout, record, slaveBlobs }: BlobPairOptions = {},
): Promise<void> {
  await withTempDir(async (directory) => {
    chmodSync(directory, 0o755);
    const pair = new BlobPair(directory, layout, record, slaveBlobs);
    try {
      await use(pair);
    } finally {
      pair.site.close();
    }
  });
}
