import { NeededBlobs } from '../blobs/needed.js';
import { BlobNamesCollector } from '../filestorage/blob-names.js';
import type { Rule } from '../filestorage/stop.js';
import { ZERO_TID } from '../filestorage/tid.js';
import type { WalkEvents } from '../filestorage/walk-options.js';
import { type Readable, scan, upTo } from '../pipeline/scan.js';
import type { Window } from '../pipeline/window.js';

/** Whole transactions of a file, from the position `from` up to the position `end`. */
export interface Range {
  readonly source: Readable;
  readonly from: number;
  readonly end: number;
}

/** The transactions of a range break a rule of the format, so they cannot be copied. */
export class RangeDamaged extends Error {
  override readonly name = 'RangeDamaged';
  constructor(
    readonly path: string,
    /** Position of the transaction. */
    readonly position: number,
    readonly at: number,
    readonly rule: Rule,
    readonly problem: string,
  ) {
    super(`${path} is damaged at position ${position}: ${problem}`);
  }
}

export interface RangeFacts {
  readonly transactions: number;
  readonly records: number;
  /** Of the first and the last one in the file. */
  readonly firstTid: bigint;
  readonly lastTid: bigint;
}

/** Validates every transaction of a range. Throws RangeDamaged. `blobs` receives the blobs that they name. */
export async function validateRange(
  { source, from, end }: Range,
  window: Window,
  events: WalkEvents = {},
  blobs?: BlobNamesCollector,
): Promise<RangeFacts> {
  const { stop, transactions, records, firstTid, lastTid } = await scan(
    upTo(source, end),
    window,
    from,
    ZERO_TID,
    events,
    blobs,
  );
  if (stop?.kind === 'end' && stop.position === end) return { transactions, records, firstTid, lastTid };
  const at = stop?.position ?? from;
  if (stop?.kind === 'damaged') throw new RangeDamaged(source.path, at, stop.at, stop.rule, stop.message);
  const problem = `the transaction that begins here is ${stop?.kind === 'in-flight' ? 'not finished' : 'cut short'}`;
  throw new RangeDamaged(source.path, at, at, 'transaction-length', problem);
}

/** As validateRange, with the blobs that the transactions name; `encrypted`: records that do not show whether they are blobs'. */
export async function examineRange(
  range: Range,
  window: Window,
): Promise<RangeFacts & { readonly blobs: NeededBlobs['ids']; readonly encrypted: number }> {
  const collector = new BlobNamesCollector();
  const facts = await validateRange(range, window, {}, collector);
  const needed = new NeededBlobs();
  await needed.addReadable(collector.names, range.source);
  return { ...facts, blobs: needed.ids, encrypted: collector.names.encrypted };
}
