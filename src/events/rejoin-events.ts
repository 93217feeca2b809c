import { formatCount } from '../report/numbers.js';
import { makeEvent, type SlaveEvent } from './event.js';

/** How a rejoin ended: a part of its result. */
export interface EndedRejoin {
  readonly action: 'rewind' | 'full';
  readonly master: string;
  readonly copied: { readonly bytes: number; readonly transactions: number };
  readonly lost: {
    readonly transactions: number;
    readonly objects: number;
    readonly firstTid: string;
    readonly lastTid: string;
    readonly file: string | null;
    readonly report: string | null;
  } | null;
}

/** The events of a rejoin that has ended with a slave. */
export function eventsOfRejoin(
  { action, master, copied, lost }: EndedRejoin,
  time: number,
  of: { readonly storage: string | undefined; readonly slave: string },
): readonly SlaveEvent[] {
  const { bytes, transactions } = copied;
  const count = lost?.transactions ?? 0;
  const facts = { master, action, bytes, transactions, lostTransactions: count };
  const events = [makeEvent('rejoined', time, of, `the old master is a slave of ${master} again`, facts)];
  if (!lost) return events;
  const message = `${formatCount(count, 'transaction')} of the old master ${count === 1 ? 'is' : 'are'} only in ${lost.file ?? 'a file'}`;
  const { objects, firstTid, lastTid, file, report } = lost;
  events.push(
    makeEvent('lost', time, of, message, { lostTransactions: count, objects, firstTid, lastTid, file, report }),
  );
  return events;
}
