import type { RejoinResult } from '../rejoin/result.js';
import { formatCount, formatSeconds } from '../report/numbers.js';

/** How a rejoin ended, for people. */
export function renderRejoin(result: RejoinResult): string {
  const { action, reason, hint, dryRun, lost, copied, kept, toCopy, estimatedSeconds, seconds } = result;
  const lines = [reason];
  if (action === 'refused' || action === 'failed') lines[0] = `syncpozo: ${reason}`;
  else if (!dryRun) {
    const what = `${formatCount(copied.bytes, 'byte')}, ${formatCount(copied.transactions, 'transaction')}`;
    lines.push(`copied: ${what}, in ${formatSeconds(seconds)}`);
  }
  if (dryRun && toCopy) {
    const time = estimatedSeconds === null ? '' : `, about ${formatSeconds(estimatedSeconds)}`;
    const count = toCopy.transactions === null ? '' : `, ${formatCount(toCopy.transactions, 'transaction')}`;
    lines.push(`to copy: ${formatCount(toCopy.bytes, 'byte')}${count}${time}`);
  }
  if (lost?.file)
    lines.push(`only in ${lost.file}: ${formatCount(lost.transactions, 'transaction')} of the old master`);
  if (kept !== null) lines.push(`kept: ${kept}`);
  if (hint !== null) lines.push(`hint: ${hint}`);
  return lines.map((line) => `${line}\n`).join('');
}
