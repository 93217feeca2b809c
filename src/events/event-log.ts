import type { Log } from '../report/log.js';
import type { EventName, SlaveEvent } from './event.js';

/** Events that no person need act on. All others are warnings: the error of a run is logged by the run itself. */
const GOOD: ReadonlySet<EventName> = new Set(['promoted', 'rebuild', 'in-step']);

/** Logs each event as a record with its name in the field `event`. */
export function logEvents(events: readonly SlaveEvent[], log: Log): void {
  for (const { name, storage, slave, message, facts } of events) {
    const { hint, ...others } = facts;
    const fields = { event: name, ...(storage !== null && { storage }), slave, ...others, ...(hint && { hint }) };
    log[GOOD.has(name) ? 'info' : 'warn'](fields, message);
  }
}
