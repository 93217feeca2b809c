import { formatTid, tidToIso } from '../filestorage/tid.js';
import { Exchanged } from '../pipeline/copy.js';
import { Interrupted } from '../pipeline/read-deadline.js';
import type { Log } from '../report/log.js';
import { formatCount } from '../report/numbers.js';
import { forShell } from '../report/quote.js';
import type { Plan } from '../sync/facts.js';
import type { Outcome } from '../sync/sync.js';
import { blobsWanting, EXIT, exitOfError, exitOfOutcome, hintOf, isForeseen } from './exit.js';
import { NotTogether } from './not-together.js';
import { plainResult, type Round, resultOf, type SideResult, type SyncResult } from './result.js';

/** Logs the plan before it is carried out. */
export function logPlan(plan: Plan, log: Log): void {
  if (plan.kind === 'full' && plan.row === 7)
    log.info({ reason: plan.reason }, 'missing or empty .dat file (full backup)');
  else if ('resume' in plan && plan.row !== 12) log.warn({ from: plan.resume.position }, plan.reason);
  else if (plan.kind === 'rebuild' || plan.kind === 'full') log.info({}, plan.reason);
}

/** Logs how a run ended, in the phrases that operators grep for, and returns its result. */
export function logOutcome(outcome: Outcome, round: Round, log: Log): SyncResult {
  const { plan } = outcome;
  const exitCode = exitOfOutcome(outcome);
  const paths = { master: round.masterPath, slave: round.slavePath };
  if (outcome.damage || plan.kind === 'damaged') return logDamage(outcome, round, log);
  switch (plan.kind) {
    case 'off':
      log.info({ ...paths, reason: plan.reason }, 'NOT SYNCING FROM MASTER');
      return resultOf(outcome, round, exitCode, plan.reason);
    case 'busy':
      log.info({ ...paths }, plan.reason);
      return resultOf(outcome, round, exitCode, plan.reason);
    case 'in-use':
      return refuse(
        plan.reason,
        'a ZEO server, or another program, has this slave open: a standby in use is not written to',
      );
    case 'out-of-reach':
      return refuse(
        `master out of reach: ${plan.reason}`,
        'is the master mounted, and MASTER the right directory? The next run tries again',
      );
    case 'unfit':
      return refuse(
        plan.reason,
        'MASTER has to be a Data.fs of ZODB, or the directory that holds one; the slave was not touched',
      );
    case 'grown':
      return refuse('Slave (backup) file has grown since last syncing...', plan.hint);
    case 'forked':
      return refuse(plan.reason, plan.hint);
    case 'none':
    case 'full':
    case 'rebuild':
    case 'adopt':
    case 'append':
      return finish();
  }

  function refuse(message: string, given: string): SyncResult {
    const hint = withPaths(given, round);
    const result = resultOf(outcome, round, exitCode, message, hint);
    const sides = { ...namedSide('onlySlave', result.onlyHere), ...namedSide('onlyMaster', result.onlyThere) };
    log.error({ ...paths, exitCode, ...sides, hint }, message);
    return result;
  }

  function finish(): SyncResult {
    const wanting = round.dryRun ? 0 : blobsWanting(outcome);
    const reason = wanting > 0 ? wantingBlobs(outcome) : 'reason' in plan ? plan.reason : '';
    const hint = wanting > 0 ? withPaths(WANTING_HINT, round) : undefined;
    const result = resultOf(outcome, round, exitCode, reason, hint);
    if (wanting > 0) log.error({ ...paths, exitCode, blobs: result.blobs, hint }, reason);
    const { action, blobs, slave, copied, scrubbed, seconds } = result;
    const claimed = { claim: slave.claim, lastTid: slave.lastTid, lastTime: slave.lastTime };
    const tail = outcome.end && outcome.end.kind !== 'clean' ? { masterTail: outcome.end.kind } : {};
    const again = scrubbed.bytes > 0 ? { scrubbed } : {};
    const done = round.dryRun ? 'Dry run: nothing was written' : 'Finished syncing';
    log.info(
      {
        action,
        ...paths,
        ...claimed,
        bytes: copied.bytes,
        transactions: copied.transactions,
        ...(blobs && { blobs }),
        ...again,
        ...tail,
        seconds,
      },
      done,
    );
    return result;
  }
}

function wantingBlobs({ blobs }: Outcome): string {
  const missing = blobs?.claim?.missing ?? 0;
  const lost = blobs?.lost.length ?? 0;
  const none = `the master has no file of ${formatCount(missing, 'blob')} that its transactions name`;
  const wrong = `${formatCount(lost, 'blob')} of the slave changed on the disk, and the master does not have the copied bytes`;
  return `all transactions are on the slave, but ${[...(missing > 0 ? [none] : []), ...(lost > 0 ? [wrong] : [])].join('; ')}`;
}

const WANTING_HINT =
  "put the files back into the master's blob directory, from a backup: the next run copies them; 'syncpozo verify SLAVE' names them";

/** A command in a hint gets the actual paths. */
function withPaths(hint: string, { masterPath, slavePath }: Round): string {
  return hint
    .replaceAll('MASTER SLAVE', `${forShell(masterPath)} ${forShell(slavePath)}`)
    .replaceAll('verify SLAVE', `verify ${forShell(slavePath)}`);
}

function namedSide(name: string, side: SideResult | null): Record<string, unknown> {
  if (!side) return {};
  const { transactions, atLeast, firstTid, firstTime, lastTid, lastTime } = side;
  if (transactions === 0) return { [name]: 0 };
  return { [name]: { transactions, ...(atLeast && { atLeast }), firstTid, firstTime, lastTid, lastTime } };
}

const DAMAGED =
  "what lies before that place is on the slave, what lies behind it is not; check the master with ZODB's fstest, and keep the slave as it is";
const ROTTEN =
  "the slave was copied when the master had other bytes there, and nothing was changed on it: keep it, check the master with ZODB's fstest, and its disk";
const UNDECIDED =
  "the slave was left as it is. 'syncpozo verify' of each of them, and 'syncpozo compare MASTER SLAVE', say more. If you know that MASTER has the right bytes, move the slave's Data.fs aside: the next run copies all of it";

function logDamage(outcome: Outcome, round: Round, log: Log): SyncResult {
  const damage = outcome.damage;
  const exitCode = exitOfOutcome(outcome);
  const place = damage && {
    position: damage.position,
    at: damage.at,
    tid: formatTid(damage.tid),
    transactionTime: tidToIso(damage.tid),
    rule: damage.rule,
  };
  const more = outcome.scrubbed.rotten > 1 ? `; ${outcome.scrubbed.rotten} such pieces were found` : '';
  const what = isUndecided(damage) ? 'the master or the slave is damaged' : 'the master is damaged';
  const reason = `${what} at position ${damage?.position}: ${damage?.message}${more}`;
  const hint = withPaths(hintAt(damage), round);
  log.error(
    { master: round.masterPath, slave: round.slavePath, exitCode, ...place, copied: outcome.copied.bytes, hint },
    reason,
  );
  return resultOf(outcome, round, exitCode, reason, hint);
}

function isUndecided(damage: Outcome['damage']): boolean {
  return damage !== undefined && 'undecided' in damage && damage.undecided === true;
}

function hintAt(damage: Outcome['damage']): string {
  if (isUndecided(damage)) return UNDECIDED;
  return damage?.rule === 'hash' ? ROTTEN : DAMAGED;
}

/** Logs an error and returns it as a result. Only an unforeseen error gets a stack trace. */
export function logError(error: unknown, round: Round, log: Log): SyncResult {
  if (!(error instanceof Error)) throw error;
  if (error instanceof NotTogether && error.isPlanned) {
    log.info({ master: round.masterPath, slave: round.slavePath }, error.message);
    return plainResult(round, 'busy', EXIT.ok, error.message);
  }
  const foreseen = isForeseen(error) || error instanceof Exchanged || error instanceof Interrupted;
  const hint = hintOf(error);
  const exitCode = exitOfError(error);
  const fields = { master: round.masterPath, slave: round.slavePath, exitCode, ...(hint && { hint }) };
  log.error(foreseen ? fields : { ...fields, stack: error.stack }, error.message);
  const action = exitCode === EXIT.refused || exitCode === EXIT.inUse ? 'refused' : 'failed';
  return plainResult(round, action, exitCode, error.message, hint);
}
