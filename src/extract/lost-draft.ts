import { BackwardReader } from '../filestorage/backward.js';
import { TRANSACTION_HEADER_LENGTH } from '../filestorage/layout.js';
import { formatTid, tidToIso } from '../filestorage/tid.js';
import { transactionAt } from '../pipeline/records.js';
import type { Readable } from '../pipeline/scan.js';
import type { Window } from '../pipeline/window.js';
import type { LostBlobs } from './lost-blobs.js';
import { LostObjects } from './lost-objects.js';
import { type LostReport, type LostTransaction, MOST_OBJECTS, MOST_TRANSACTIONS } from './lost-report.js';
import { wholeOid } from './oid-key.js';
import { type Range, validateRange } from './range.js';
import type { ThinFile } from './thin-file.js';

export interface DraftRequest {
  /** What was copied to the thin file; the report is made from the original, which shows what is older than the range. */
  readonly range: Range;
  readonly thin: ThinFile;
  /** What was kept of its blobs; undefined where nobody knows their directory. */
  readonly blobs: LostBlobs | undefined;
  readonly window: Window;
}

/** A transaction as a walk reports it. */
interface Found {
  readonly position: number;
  readonly records: number;
  readonly oids: readonly string[];
}

/** The report of a range, as far as its own file shows it. */
export async function draftReport({ range, thin, blobs, window }: DraftRequest): Promise<LostReport> {
  const { source, from } = range;
  const objects = new LostObjects();
  const found = await collect(range, objects, window);
  const transactions: LostTransaction[] = [];
  for (const each of found) transactions.push(await describe(source, each));
  const { firstTid, lastTid, bytes } = thin;
  return {
    file: thin.path,
    source: source.path,
    fork: await forkAt(source, from),
    firstTid: formatTid(firstTid),
    firstTime: tidToIso(firstTid),
    lastTid: formatTid(lastTid),
    lastTime: tidToIso(lastTid),
    bytes,
    counts: {
      transactions: thin.transactions,
      objects: objects.count,
      createdHere: objects.createdHere,
      blobs: thin.blobs.length,
      unchanged: null,
      changed: null,
      deleted: null,
      sameOid: null,
    },
    blobs: blobs && thin.blobs.length > 0 ? { ...blobs, missing: blobs.missing.length } : null,
    truncated: objects.isCut || thin.transactions > transactions.length,
    transactions,
    objects: await objects.describe(source, new Set(thin.blobs.map(({ oid }) => oid))),
  };
}

/** Adds the objects of a range to `objects`, and returns its first MOST_TRANSACTIONS transactions. */
async function collect(range: Range, objects: LostObjects, window: Window): Promise<readonly Found[]> {
  const found: Found[] = [];
  let oids: string[] = [];
  let records = 0;
  let listed = 0;
  await validateRange(range, window, {
    onRecord: (position, oidHigh, oidLow, previous) => {
      records++;
      if (!objects.add(position, oidHigh, oidLow, previous) || listed >= MOST_OBJECTS) return;
      listed++;
      oids.push(formatTid(wholeOid(oidHigh, oidLow)));
    },
    onTransaction: (position) => {
      if (found.length < MOST_TRANSACTIONS) found.push({ position, records, oids });
      oids = [];
      records = 0;
    },
  });
  return found;
}

async function describe(source: Readable, { position, records, oids }: Found): Promise<LostTransaction> {
  const transaction = await transactionAt(source, position);
  if (!transaction) throw new RangeError(`no transaction at ${position}`);
  const { end, tid, status, userLength, descriptionLength } = transaction;
  const text = new Uint8Array(userLength + descriptionLength);
  await source.readBytes(text, position + TRANSACTION_HEADER_LENGTH);
  return {
    tid: formatTid(tid),
    time: tidToIso(tid),
    user: Buffer.from(text.subarray(0, userLength)).toString('utf8'),
    description: Buffer.from(text.subarray(userLength)).toString('utf8'),
    status: String.fromCharCode(status),
    bytes: end - position,
    objects: records,
    oids,
  };
}

async function forkAt(source: Readable, position: number): Promise<LostReport['fork']> {
  const common = await new BackwardReader(source).endingAt(position);
  if (!common) return { position, tid: null, time: null };
  return { position, tid: formatTid(common.tid), time: tidToIso(common.tid) };
}
