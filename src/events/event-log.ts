import type { Log } from '../report/log.js';
import { TROUBLE_EVENTS } from '../standby/raised.js';
import type { SlaveEvent } from './event.js';

/**
 * Logs each event as a record with its name in the field `event`. The error of the run, just before it, has the reason and the
 * hint.
 */
export function logEvents(events: readonly SlaveEvent[], log: Log): void {
  for (const { name, storage, slave, message, facts } of events) {
    const { reason: _reason, hint: _hint, ...others } = facts;
    const fields = { event: name, ...(storage !== null && { storage }), slave, ...others };
    if (TROUBLE_EVENTS.some((each) => each === name)) log.warn(fields, `a trouble begins: ${name}`);
    else log[name === 'loss' ? 'warn' : 'info'](fields, message);
  }
}
