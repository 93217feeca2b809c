import { logEvents } from '../events/event-log.js';
import { recordEvents } from '../events/history.js';
import type { Hooks } from '../events/hooks.js';
import { eventsOfPromotion } from '../events/promotion-events.js';
import { milliseconds } from '../io/clock.js';
import type { Log } from '../report/log.js';
import type { PromotionResult } from '../report/promotion.js';
import { EXIT } from '../round/exit.js';
import { lastInStep } from '../standby/outcome-file.js';
import { slavePaths } from '../standby/paths.js';
import { isKnownToServe } from '../standby/role-of.js';
import { type PromoteOptions, runPromote } from './promote.js';
import { plain } from './promote-result.js';

export interface PromoteReporting {
  readonly hooks: Hooks;
  /** Do not ask the hook before-promote. */
  readonly skipHooks: boolean;
  /** For the events. */
  readonly log: Log;
  /** The storage's name in the configuration. */
  readonly storage?: string | undefined;
}

/**
 * A promotion with its events and hooks. The hook that may veto is asked before anything is changed. The hooks of the events are
 * only started: one that restarts the clients of a server would wait for the server, which waits for the promotion.
 */
export async function promoteWithEvents(
  options: PromoteOptions,
  { hooks, skipHooks, log, storage }: PromoteReporting,
): Promise<PromotionResult> {
  const began = milliseconds();
  const paths = slavePaths(options.slave, options.file, options.master);
  // A role that cannot be read is the promotion's to report.
  if (!skipHooks && (options.supersede || !isKnownToServe(paths))) {
    const lastSync = lastInStep(paths);
    const facts = { lastSync: lastSync === undefined ? null : new Date(lastSync).toISOString() };
    const veto = await hooks.before('before-promote', { storage, slave: paths.data }, facts);
    const seconds = Math.round(milliseconds() - began) / 1000;
    if (veto) return { ...plain(paths, options.statusFile), exitCode: EXIT.refused, ...veto, seconds };
  }
  const result = await runPromote(options);
  const events = eventsOfPromotion(result, Date.now(), storage);
  recordEvents(paths, events, log);
  logEvents(events, log);
  await hooks.launch(events);
  return result;
}
