import { formatCount } from './numbers.js';
import { visible } from './quote.js';
import { formatBytes } from './size.js';

/** The JSON object of `syncpozo promote --json`. Fields are only ever added. null: not known, or none. */
export interface PromotionResult {
  readonly promoted: boolean;
  /** It was promoted before. */
  readonly already: boolean;
  /** Why it was not promoted, and what to do about it. */
  readonly reason: string | null;
  readonly hint: string | null;
  readonly exitCode: number;
  readonly statusFile: string;
  /** null: the promotion did not get that far. */
  readonly switch: SwitchReport | null;
  /** The term in which it serves. */
  readonly term: number | null;
  readonly slave: {
    readonly path: string;
    /** End of the slave at the promotion. */
    readonly position: number | null;
    readonly lastTid: string | null;
    readonly lastTime: string | null;
    readonly lockedBy: string | null;
  };
  /** When a sync last found the slave in step, and how long before the promotion. */
  readonly lastSync: string | null;
  readonly ageSeconds: number | null;
  /** A sync that was running. */
  readonly sync: { readonly pid: string; readonly how: 'ended' | 'killed' | 'left hanging' } | null;
  /**
   * What was copied from the master first. null: nothing was, or it was not tried; `transactions` null: not counted, because
   * the slave was not caught up with all that the master has.
   */
  readonly caughtUp: { readonly transactions: number | null; readonly bytes: number } | null;
  /** Why the slave could not be caught up; null: it was, or that was not tried. */
  readonly catchUpProblem: string | null;
  /** What was truncated at the end: an unfinished batch, or bytes that are no transaction and are kept in a file. */
  readonly cut: { readonly bytes: number; readonly unfinished: boolean; readonly keptAs: string | null } | null;
  readonly checked: string | null;
  /** Pieces that differ from what was copied, with their transactions. */
  readonly changed: readonly {
    readonly start: number;
    readonly end: number;
    readonly firstTid: string;
    readonly lastTid: string;
  }[];
  /** Bytes that ZEO has to scan at startup, because no index covers them. */
  readonly uncoveredByIndex: number | null;
  /**
   * The slave's blobs: those of the claim, those that the master did not have, and the check of the ones copied last.
   * null: none were synced.
   */
  readonly blobs: {
    readonly directory: string;
    readonly count: number;
    readonly missing: number;
    readonly checked: number;
    readonly problems: readonly string[];
  } | null;
  readonly loss: Loss | null;
  /** Process id of the command that was started because of the loss. */
  readonly onLoss: number | null;
  readonly seconds: number;
}

/** Transactions that the master had committed and the slave lacks. */
export interface Loss {
  /** false: the master was read, and has nothing newer. */
  readonly possible: boolean;
  readonly certain: boolean;
  /** Every transaction after this one may be lost. */
  readonly afterTid: string;
  readonly afterTime: string | null;
  /** What the master has beyond it; null: not read, or not known. */
  readonly transactions: number | null;
  readonly masterTid: string | null;
  readonly masterTime: string | null;
  readonly why: string;
}

/** Result for the switch. */
export interface SwitchReport {
  readonly file: string;
  /** true: this promotion has written SYNCING=0 into it. */
  readonly written: boolean;
  /** Why it could not be written or restored. */
  readonly problem: string | null;
  /** `off`: the file contains SYNCING=0; `as found`: unchanged. */
  readonly left: 'off' | 'as found';
}

/** The text output: what was done, what may be lost, and what has to be done next. */
export function renderPromotion(result: PromotionResult): string {
  const { slave, loss, cut, sync } = result;
  const lines: string[] = [];
  if (!result.promoted) lines.push(`not promoted: ${result.reason}`, ...(result.hint ? [`hint: ${result.hint}`] : []));
  else
    lines.push(
      `${slave.path} is promoted${result.already ? ' already' : ''}: it may be served, and no sync writes to it`,
    );
  if (slave.lastTid) {
    const ends = result.already ? 'when it was promoted, it ended' : 'it ends';
    lines.push(`${ends} at ${slave.position} with transaction ${slave.lastTid} of ${slave.lastTime ?? 'no time'}`);
  }
  lines.push(...linesOfSwitch(result));
  if (result.promoted && slave.lockedBy) lines.push(`another program has it open: ${slave.lockedBy}`);
  if (sync) lines.push(`a sync was at work (process ${sync.pid}): ${WHAT_BECAME[sync.how]}`);
  lines.push(...linesOfCatchUp(result));
  if (cut?.unfinished) lines.push(`an unfinished batch of ${formatBytes(cut.bytes)} was cut off`);
  else if (cut) lines.push(`${formatBytes(cut.bytes)} that are no transaction were cut off and kept as ${cut.keptAs}`);
  for (const { start, end, firstTid, lastTid } of result.changed)
    lines.push(`DAMAGED: bytes ${start} to ${end} are not what was copied (transactions ${firstTid} to ${lastTid})`);
  if (result.checked === 'nothing')
    lines.push('nothing could be compared with a checksum; syncpozo verify checks all of it');
  if (result.uncoveredByIndex)
    lines.push(`ZEO scans ${formatBytes(result.uncoveredByIndex)} when it starts: no index covers them`);
  lines.push(...linesOfBlobs(result.blobs));
  if (result.promoted)
    lines.push(
      result.lastSync ? `last sync: ${result.lastSync}, ${result.ageSeconds} s before` : 'last sync: not known',
    );
  if (loss) lines.push(...linesOf(loss));
  if (result.onLoss !== null) lines.push(`the command for a loss was started: process ${result.onLoss}`);
  return lines.map((line) => `${visible(line)}\n`).join('');
}

function linesOfCatchUp({ caughtUp, catchUpProblem }: PromotionResult): string[] {
  const copied = caughtUp ? formatBytes(caughtUp.bytes) : '';
  if (catchUpProblem !== null)
    return [`not caught up with the master${caughtUp ? `, but by ${copied}` : ''}: ${catchUpProblem}`];
  if (!caughtUp) return [];
  const { transactions } = caughtUp;
  return [`caught up with the master: ${formatCount(transactions ?? 0, 'transaction')}, ${copied}`];
}

function linesOfBlobs(blobs: PromotionResult['blobs']): string[] {
  if (!blobs) return [];
  const { directory, count, missing, checked, problems } = blobs;
  const lost = missing > 0 ? `, missing on the master already: ${missing}` : '';
  return [
    `${formatCount(count, 'blob')} in ${directory}${lost}; newest ones checked: ${checked}`,
    ...problems.map((problem) => `DAMAGED: blob: ${problem}`),
  ];
}

/** The warning when the switch could not be written, or how a failed promotion has left it. */
export function linesOfSwitch({ promoted, switch: position, hint }: PromotionResult): string[] {
  if (!position) return [];
  const { file, left, problem } = position;
  if (promoted) {
    if (problem === null) return [];
    return [`warning: the switch could not be written: ${problem}`, ...(hint ? [`hint: ${hint}`] : [])];
  }
  if (left === 'as found') return [`the switch was left as it was found (${file})`];
  return [`the switch was left off: SYNCING=0 in ${file}${problem ? ` (${problem})` : ''}`];
}

const WHAT_BECAME = {
  ended: 'it was asked to end, and did',
  killed: 'it did not end when asked to, and was killed',
  'left hanging':
    'it was killed and hangs in a read of the master; it can do nothing any more, and its lock was replaced',
} as const;

function linesOf(loss: Loss): string[] {
  if (!loss.possible) return [`nothing is lost: ${loss.why}`];
  const count = loss.transactions === null ? 'transactions' : formatCount(loss.transactions, 'transaction');
  const lost = loss.transactions === 1 ? 'IS LOST' : 'ARE LOST';
  return [
    `${count} after ${loss.afterTid} (${loss.afterTime ?? 'no time'}) ${loss.certain ? lost : 'MAY BE LOST'}: ${loss.why}`,
    'restart every ZEO client without its cache file (*.zec): one that has seen them would go on with them',
  ];
}
