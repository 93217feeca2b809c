import { formatCount } from '../report/numbers.js';
import { visible } from '../report/quote.js';
import { formatBytes } from '../report/size.js';
import type { RestoreResult } from './restore-result.js';

/** The text output of `syncpozo restore`: what was made, from which file, and up to where. */
export function renderRestore(result: RestoreResult): string {
  const { end, copied, blobs, packed, source, dest } = result;
  if (!end) return '';
  const rows: [string, string][] = [
    [result.dryRun ? 'would make' : 'made', `${dest}, ${formatBytes(end.position)}`],
    ['from', `${source}${packed ? `, because ${result.file} was packed` : ''}`],
    ['last transaction', `${end.tid} of ${end.time ?? '-'}`],
  ];
  if (copied) {
    const count = `${formatCount(copied.transactions, 'transaction')}, ${formatCount(copied.records, 'record')}`;
    rows.push(['holds', copied.reflink ? `${count}; shares its bytes with the file it is from` : count]);
    rows.push(['index', result.index ?? 'none: no transaction has a record']);
  }
  if (blobs) {
    const { directory, files, linked, missing } = blobs;
    rows.push([
      'blobs',
      `${directory}: ${files}, ${linked} of them linked${missing > 0 ? `, ${missing} missing` : ''}`,
    ]);
  }
  const width = Math.max(...rows.map(([name]) => name.length));
  const lines = rows.map(([name, value]) => `${`${name}:`.padEnd(width + 2)}${visible(value)}`);
  return `${lines.join('\n')}\n`;
}
