import assert from 'node:assert/strict';
import { appendFileSync, chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { type BlobId, pathOf } from '../../src/blobs/layout.js';
import { rejoinOptionsOf } from '../../src/commands/demo.js';
import type { BlobSides } from '../../src/demo/stage.js';
import { runRejoin } from '../../src/rejoin/rejoin.js';
import type { RejoinResult } from '../../src/rejoin/result.js';
import { promoteIn } from '../crash/promotion-crashes.js';
import type { BlobPair } from '../support/blob-pair.js';
import { BLOB_RECORD } from '../support/blob-records.js';
import { Site } from '../support/site.js';
import { committed, syncHere } from './scene.js';

/** What follows the old master's last transaction: the head of one that was never finished. */
const IN_FLIGHT = Buffer.concat([
  Buffer.from('7fffffffffffff0000000000000010006300000000000000', 'hex').subarray(0, 23),
  Buffer.from('a transaction in flight'),
]);

/**
 * The old master of a takeover, at the pair's master's paths, and the side that serves, at its slave's. The old master has
 * transactions of its own, one of them with a blob, an index that covers them, and one in flight.
 */
export class Takeover {
  /** The old master's transactions, and those that only it has. */
  readonly old: Buffer;
  readonly lost: Buffer;
  readonly served: Buffer;

  private constructor(
    readonly pair: BlobPair,
    private readonly settings: BlobSides,
    private readonly blobs: Readonly<Record<'common' | 'lost' | 'new', BlobId>>,
    fork: number,
  ) {
    this.old = committed(pair.masterFile);
    this.lost = this.old.subarray(fork);
    this.served = committed(pair.slaveFile);
  }

  static async of(pair: BlobPair): Promise<Takeover> {
    const blobs: BlobSides = {
      master: pair.masterBlobs,
      slave: pair.slaveBlobs,
      by: 'records',
      way: 'copy',
      keepPacked: false,
    };
    const [common] = pair.commitBlobs('a common blob');
    const { exitCode, reason } = await syncHere(pair, false, undefined, 0, blobs);
    assert.equal(exitCode, 0, reason);
    const fork = pair.site.committedEnd;
    pair.commit('lost', 'lost as well');
    const [lost] = pair.commitBlobs('a lost blob');
    pair.site.close();
    writeFileSync(`${pair.masterFile}.index`, 'an index of bytes that will be cut off');
    await promoteIn(pair.slave);
    const serving = Site.open(pair.slaveFile, { clock: pair.clock });
    serving.commit(serving.pages(new Map([[1, 'served']])));
    const oid = 0xfeedn;
    const tid = serving.vote({ edits: [{ oid, data: BLOB_RECORD }] });
    mkdirSync(dirname(pair.onSlave({ oid, tid })), { recursive: true });
    writeFileSync(pair.onSlave({ oid, tid }), 'a new blob');
    chmodSync(pair.onSlave({ oid, tid }), 0o444);
    serving.finish();
    serving.close();
    assert.ok(common && lost);
    const takeover = new Takeover(
      pair,
      { ...blobs, master: pair.slaveBlobs, slave: pair.masterBlobs },
      { common, lost, new: { oid, tid } },
      fork,
    );
    appendFileSync(pair.masterFile, IN_FLIGHT);
    return takeover;
  }

  get args(): string[] {
    const { pair } = this;
    const sides = [pair.slave, pair.master, '--blobs', `${pair.slaveBlobs}:${pair.masterBlobs}`];
    return ['rejoin', ...sides, '--yes', '--json', '--status-file', pair.statusFile, '--workers', '0'];
  }

  /** A rejoin in this process. */
  rejoinHere(): Promise<RejoinResult> {
    const { pair, settings } = this;
    const sides = { master: pair.slave, slave: pair.master, statusFile: pair.statusFile, blobs: settings };
    return runRejoin(rejoinOptionsOf(sides));
  }

  get role(): string | undefined {
    const path = `${this.pair.masterFile}.role`;
    return existsSync(path) ? /^role (\w+)$/m.exec(readFileSync(path, 'utf8'))?.[1] : undefined;
  }

  /** Every transaction and every blob of the old master is in its place or in a file of what was lost. */
  assertNothingLost(): void {
    const { pair, old, lost, blobs } = this;
    const data = readFileSync(pair.masterFile);
    const isOld = data.subarray(0, old.length).equals(old);
    const files = filesIn(pair.master);
    if (!isOld) {
      assert.ok(this.role === 'rejoining' || this.role === 'slave', 'the file was changed, and the role was not');
      const thin = files.filter((name) => /^lost-[0-9a-f-]+\.fs$/.test(name));
      assert.equal(thin.length, 1, 'one file of what was lost');
      const kept = readFileSync(join(pair.master, thin[0] ?? ''));
      // All but positions in the file is as it was: texts, blobs' records, the number of the transactions.
      for (const text of ['lost', 'lost as well']) assert.ok(kept.includes(text), `'${text}' is gone`);
      assert.equal(kept.length, lost.length + 4, 'each byte but those of the positions is there');
      const after = files.some((name) => readFileSync(join(pair.master, name)).includes(IN_FLIGHT));
      assert.ok(after, 'what was in flight is gone');
    }
    assertBlob(join(pair.masterBlobs, pathOf(blobs.common, 'bushy')), 'a common blob');
    const lostBlob = pathOf(blobs.lost, 'bushy');
    const kept = readdirSync(pair.master).filter((name) => /^lost-.*\.blobs$/.test(name));
    const places = [join(pair.masterBlobs, lostBlob), ...kept.map((name) => join(pair.master, name, lostBlob))];
    assert.ok(places.some(existsSync), 'the blob of a lost transaction is gone');
    for (const place of places.filter(existsSync)) assertBlob(place, 'a lost blob');
  }

  /** The old master is the slave of the side that serves, and nothing else is left behind. A kill may leave an unfinished `.tr0`. */
  assertRejoined(wasKilled = false): void {
    const { pair, served, blobs } = this;
    assert.ok(readFileSync(pair.masterFile).equals(served), 'the slave is the side that serves');
    assert.equal(this.role, 'slave');
    assert.equal(readFileSync(pair.statusFile, 'utf8'), 'SYNCING=1\n');
    assertBlob(join(pair.masterBlobs, pathOf(blobs.common, 'bushy')), 'a common blob');
    assertBlob(join(pair.masterBlobs, pathOf(blobs.new, 'bushy')), 'a new blob');
    assert.ok(!existsSync(join(pair.masterBlobs, pathOf(blobs.lost, 'bushy'))), 'the lost blob left the tree');
    const known =
      /^(Data\.fs(\.dat|\.blobs|\.lock|\.role|\.outcome|\.events|\.tr0)?|lost-[0-9a-f]{16}-[0-9a-f]{16}\.(fs|json|txt|blobs))$/;
    const strange = readdirSync(pair.master).filter(
      (name) => !known.test(name) && !(wasKilled && name === 'Data.fs.tr1'),
    );
    assert.deepEqual(strange, [], 'nothing is left behind');
    const ends = readdirSync(pair.master).filter((name) => name.startsWith('lost-'));
    assert.equal(ends.length, 4, `what was lost is kept once: ${ends}`);
    const temporary = readdirSync(pair.masterBlobs, { recursive: true, encoding: 'utf8' }).filter((name) =>
      /tmp/.test(name),
    );
    assert.deepEqual(temporary, [], 'nothing unfinished is left in the blob directory');
  }

  /** A path in the pair's directory, which is another one in each run. */
  relative(path: string): string {
    return relative(this.pair.directory, path);
  }
}

function filesIn(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => (entry.isFile() ? [entry.name] : []));
}

function assertBlob(path: string, content: string): void {
  assert.equal(readFileSync(path, 'utf8'), content, path);
}
