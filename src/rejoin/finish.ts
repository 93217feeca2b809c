import { logEvents } from '../events/event-log.js';
import { recordEvents } from '../events/history.js';
import { eventsOfRejoin } from '../events/rejoin-events.js';
import { IoFault } from '../io/fault.js';
import { EXIT } from '../round/exit.js';
import type { SlavePaths } from '../standby/paths.js';
import { publishRole } from '../standby/role-file.js';
import { writeSwitch } from '../standby/switch.js';
import type { Followed } from './follow.js';
import type { RejoinOptions } from './options.js';
import type { RejoinPlan } from './plan.js';
import type { LostResult, RejoinResult } from './result.js';
import type { Serving } from './serving.js';

export interface Finish {
  readonly plan: RejoinPlan;
  readonly serving: Serving;
  readonly lost: LostResult | null;
  readonly followed: Followed;
  readonly paths: SlavePaths;
  readonly options: RejoinOptions;
}

/** Makes an ordinary slave of a side that holds what MASTER has: the role, then the switch, then the events. */
export function finish(request: Finish): Pick<RejoinResult, 'action' | 'reason' | 'hint' | 'exitCode'> {
  const { plan, serving, lost, followed, paths, options } = request;
  const { result } = followed;
  publishRole(paths, { role: 'slave', terms: serving.role?.terms ?? [] });
  const problem = options.keepSwitch ? undefined : switchOn(options.statusFile);
  if (plan.kind !== 'none') {
    const { bytes, transactions } = followed;
    const ended = { action: plan.kind, lost, copied: { bytes, transactions }, master: result.master.path };
    const events = eventsOfRejoin(ended, Date.now(), { storage: options.storage, slave: paths.data });
    recordEvents(paths, events, options.log);
    logEvents(events, options.log);
    options.onEvents(events);
  }
  const action = plan.kind;
  if (problem !== undefined) {
    const reason = `SLAVE is a slave and in step, but the switch could not be set on: ${problem}`;
    return { action, reason, hint: "'syncpozo on' sets it", exitCode: EXIT.fault };
  }
  const done = { none: 'SLAVE was a slave already, and is in step', rewind: IN_STEP, full: IN_STEP }[plan.kind];
  const isWell = result.exitCode === EXIT.ok;
  return { action, reason: isWell ? done : result.reason, hint: result.hint, exitCode: result.exitCode };
}

const IN_STEP = 'SLAVE is a slave and in step';

function switchOn(path: string): string | undefined {
  try {
    writeSwitch(path, 'on');
    return undefined;
  } catch (error) {
    if (!(error instanceof IoFault)) throw error;
    return error.message;
  }
}
