import { formatTid, tidToIso } from '../filestorage/tid.js';
import type { Loss, PromotionResult } from '../report/promotion.js';
import { EXIT } from '../round/exit.js';
import type { SlavePaths } from '../standby/paths.js';
import type { Promotion } from '../standby/role.js';
import type { LastBlobs } from '../takeover/last-blobs.js';
import type { Settled } from '../takeover/promotion.js';

export function withBlobs(result: PromotionResult, blobs: LastBlobs | undefined): PromotionResult {
  if (!blobs) return result;
  return { ...result, blobs, exitCode: blobs.problems.length + blobs.missing > 0 ? EXIT.damaged : result.exitCode };
}

export function plain(paths: SlavePaths, statusFile: string): PromotionResult {
  return {
    promoted: false,
    already: false,
    reason: null,
    hint: null,
    exitCode: EXIT.ok,
    statusFile,
    switch: null,
    term: null,
    slave: { path: paths.data, position: null, lastTid: null, lastTime: null, lockedBy: null },
    lastSync: null,
    ageSeconds: null,
    sync: null,
    caughtUp: null,
    catchUpProblem: null,
    cut: null,
    checked: null,
    changed: [],
    uncoveredByIndex: null,
    blobs: null,
    loss: null,
    onLoss: null,
    seconds: 0,
  };
}

/** The result of a promotion that has settled the slave's end. */
export function resultOf(
  paths: SlavePaths,
  statusFile: string,
  settled: Settled,
  promotion: Promotion,
): PromotionResult {
  const { position, tid, cut, changed } = settled;
  const damaged = changed.length > 0 || settled.lostClaim !== undefined || (cut !== undefined && !cut.unfinished);
  return {
    ...plain(paths, statusFile),
    promoted: true,
    exitCode: damaged ? EXIT.damaged : EXIT.ok,
    slave: { path: paths.data, position, lastTid: formatTid(tid), lastTime: tidToIso(tid), lockedBy: null },
    ...ageOf(promotion),
    cut: cut ? { ...cut, keptAs: cut.keptAs ?? null } : null,
    checked: settled.checked,
    changed: changed.map(({ start, end, firstTid, lastTid }) => ({
      start,
      end,
      firstTid: formatTid(firstTid),
      lastTid: formatTid(lastTid),
    })),
    uncoveredByIndex: settled.uncovered,
  };
}

export function ageOf(promotion: Promotion | undefined): Pick<PromotionResult, 'lastSync' | 'ageSeconds'> {
  if (promotion?.lastSync === undefined) return { lastSync: null, ageSeconds: null };
  const age = Math.max(0, Math.round((promotion.at - promotion.lastSync) / 1000));
  return { lastSync: new Date(promotion.lastSync).toISOString(), ageSeconds: age };
}

/** Environment of the command for a loss; an empty value means not known. */
export function factsFor(result: PromotionResult, loss: Loss): Readonly<Record<string, string>> {
  return {
    SYNCPOZO_SLAVE: result.slave.path,
    SYNCPOZO_POSITION: String(result.slave.position ?? ''),
    SYNCPOZO_LAST_TID: loss.afterTid,
    SYNCPOZO_LAST_TIME: loss.afterTime ?? '',
    SYNCPOZO_LAST_SYNC: result.lastSync ?? '',
    SYNCPOZO_LOSS: loss.certain ? 'certain' : 'possible',
    SYNCPOZO_LOST_TRANSACTIONS: String(loss.transactions ?? ''),
    SYNCPOZO_MASTER_TID: loss.masterTid ?? '',
  };
}
