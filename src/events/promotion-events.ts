import { formatCount } from '../report/numbers.js';
import type { PromotionResult } from '../report/promotion.js';
import { makeEvent, type SlaveEvent } from './event.js';

/** The events of a promotion; none where nothing was promoted, or where it was promoted before. */
export function eventsOfPromotion(
  result: PromotionResult,
  time: number,
  storage: string | undefined,
): readonly SlaveEvent[] {
  const { promoted, already, slave, loss, term, lastSync, exitCode } = result;
  if (!promoted || already) return [];
  const of = { storage, slave: slave.path };
  const { position, lastTid, lastTime } = slave;
  const lossWord = !loss ? null : loss.certain ? 'certain' : loss.possible ? 'possible' : 'none';
  const facts = { term, loss: lossWord, position, lastTid, lastTime, lastSync, exitCode };
  const events = [makeEvent('promoted', time, of, `the slave was promoted, term ${term}`, facts)];
  if (!loss?.possible) return events;
  const { certain, transactions, afterTid, masterTid, why } = loss;
  const count = transactions === null ? 'transactions' : formatCount(transactions, 'transaction');
  const lost = certain ? (transactions === 1 ? 'is lost' : 'are lost') : 'may be lost';
  events.push(
    makeEvent('loss', time, of, `${count} after ${afterTid} ${lost}: ${why}`, {
      loss: lossWord,
      lostTransactions: transactions,
      masterTid,
      position,
      lastTid: afterTid,
      lastTime: loss.afterTime,
      lastSync,
    }),
  );
  return events;
}
