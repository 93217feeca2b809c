import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { directoryOf, fileNameOf } from '../src/blobs/layout.js';
import { encodeTransaction } from '../src/filestorage/encode.js';
import { STATUS_COMMITTED } from '../src/filestorage/layout.js';
import { timeToTid } from '../src/filestorage/tid.js';
import { SYNCPOZO } from './peers.js';
import { type Contender, must, WrongResult } from './race.js';

/** The record of every blob, as ZODB writes it with pickle protocol 3. */
const BLOB_RECORD = Buffer.from('\x80\x03cZODB.blob\nBlob\nq\x00.\x80\x03N.', 'latin1');
const FIRST_TID = timeToTid(Date.UTC(2024, 0));
const NO_TEXT = new Uint8Array();
const BLOBS_A_TRANSACTION = 100;
const LARGEST_WRITE = 16 << 20;

type SyncDetails = Partial<Contender> & { readonly options?: readonly string[] };

/** A master with blobs and nothing else, its slave, and a copy of the blob directory for a peer. */
export class BlobSite {
  readonly masterBlobs: string;
  readonly slaveBlobs: string;
  readonly copy: string;
  private readonly master: string;
  private readonly slave: string;
  private blobs = 0;

  constructor(private readonly directory: string) {
    this.master = join(directory, 'master');
    this.slave = join(directory, 'slave');
    this.masterBlobs = join(this.master, 'blobs');
    this.slaveBlobs = join(this.slave, 'blobs');
    this.copy = join(directory, 'copy');
    for (const path of [this.masterBlobs, this.copy]) mkdirSync(path, { recursive: true });
    writeFileSync(join(this.master, 'Data.fs'), 'FS30');
    writeFileSync(join(this.masterBlobs, '.layout'), 'bushy');
    this.clearSlave();
  }

  /** Commits blobs of these sizes in bytes, a hundred a transaction. */
  commit(count: number, sizeOf: (number: number) => number): void {
    const contents = Buffer.alloc(LARGEST_WRITE, 'syncpozo');
    for (let done = 0; done < count; done += BLOBS_A_TRANSACTION) {
      const tid = FIRST_TID + BigInt(this.blobs + 1);
      const records = Array.from({ length: Math.min(BLOBS_A_TRANSACTION, count - done) }, () => {
        const oid = BigInt(++this.blobs);
        const path = join(this.masterBlobs, ...directoryOf(oid, 'bushy'), fileNameOf(tid));
        mkdirSync(dirname(path), { recursive: true });
        writeFileSync(path, '');
        for (let left = sizeOf(this.blobs); left > 0; left -= LARGEST_WRITE)
          appendFileSync(path, contents.subarray(0, Math.min(left, LARGEST_WRITE)));
        return { oid, prev: 0, data: BLOB_RECORD };
      });
      const data = join(this.master, 'Data.fs');
      const place = { tid, position: statSync(data).size, status: STATUS_COMMITTED };
      const texts = { user: NO_TEXT, description: NO_TEXT, extension: NO_TEXT };
      appendFileSync(data, encodeTransaction({ ...place, ...texts, records }));
    }
  }

  /** A contender that syncs Data.fs and blobs. It must copy so many blobs. */
  sync(name: string, copied: number, { options = [], ...more }: SyncDetails = {}): Contender {
    const status = ['--json', '--quiet', '--scrub', '0', '--status-file', join(this.directory, 'status')];
    const blobs = ['--blobs', `${this.masterBlobs}:${this.slaveBlobs}`];
    return {
      name,
      command: [...SYNCPOZO, 'sync', ...status, ...blobs, ...options, this.master, this.slave],
      check: (stdout) => {
        const { blobs: done } = JSON.parse(stdout) as { blobs: { copied: number } };
        if (done.copied !== copied) throw new WrongResult(`${name}: ${copied} blobs were expected, not ${done.copied}`);
      },
      ...more,
    };
  }

  syncNow(): void {
    must(this.sync('sync', 0).command);
  }

  /** A contender that copies the blob directory only. */
  rsync(name: string, more: Partial<Contender> = {}): Contender {
    return { name, command: ['rsync', '-a', `${this.masterBlobs}/`, `${this.copy}/`], ...more };
  }

  clearSlave(): void {
    rmSync(this.slave, { recursive: true, force: true });
    mkdirSync(this.slaveBlobs, { recursive: true });
  }

  clearCopy(): void {
    rmSync(this.copy, { recursive: true, force: true });
    mkdirSync(this.copy);
  }

  /** Throws unless the slave's blobs are the master's. Reads all of both. */
  assertSame(): void {
    if (spawnSync('diff', ['-rq', this.masterBlobs, this.slaveBlobs]).status !== 0)
      throw new WrongResult("the slave's blobs are not the master's");
  }
}
