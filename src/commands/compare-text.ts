import { formatCount } from '../report/numbers.js';
import { quote, visible } from '../report/quote.js';
import { formatBytes } from '../report/size.js';
import type { CompareResult } from './compare.js';
import type { Described } from './transactions.js';

/** The text output of `syncpozo compare`: what A is to B, the fork, what only one side has, and what to do. */
export function renderCompare(result: CompareResult): string {
  const { a, b, fork } = result;
  const lines = [
    `A: ${sideLine(a)}`,
    `B: ${sideLine(b)}`,
    `${result.lineage}: ${MEANING[result.lineage]}${result.reason ? ` (${result.reason})` : ''}`,
  ];
  if (result.swapped) lines.push('A is a slave of B, by its own files: are the two swapped?');
  if (fork) lines.push(`common up to ${fork.tid} of ${fork.time ?? 'no time'}, which ends at ${fork.position} on B`);
  if (result.difference) {
    const { tid, positionA, positionB, changed } = result.difference;
    lines.push(`transaction ${tid}: bytes differ, at ${positionA} on A and ${positionB} on B; ${CHANGED[changed]}`);
  }
  lines.push(...listed('A', result.onlyA, result.onlyACount, result.truncated));
  lines.push(...listed('B', result.onlyB, result.onlyBCount, result.truncated));
  lines.push(`hint: ${hintOf(result)}`);
  return lines.map((line) => `${visible(line)}\n`).join('');
}

function sideLine({ path, size, lastTid, lastTime, role, term }: CompareResult['a']): string {
  const last = lastTid === null ? 'no transaction' : `last transaction ${lastTid} of ${lastTime ?? 'no time'}`;
  return `${path}, ${formatBytes(size)}, ${last}${role === null ? '' : `, role ${role}, term ${term ?? 'not known'}`}`;
}

const MEANING: Readonly<Record<CompareResult['lineage'], string>> = {
  equal: 'both hold the same transactions, byte for byte',
  behind: 'A goes on where B ends',
  ahead: 'B goes on where A ends: A was rolled back, or B has served',
  packed: 'A was packed; it is a continuation of B',
  forked: 'the two have a common beginning, and then went different ways',
  rotten: 'the same transaction has other bytes on the two sides',
  rewritten: 'the same transactions have other bytes nearly everywhere: one of the two was rewritten by a tool',
  damaged: 'A breaks a rule of the format',
  unrelated: 'the two have nothing in common',
};

const CHANGED = {
  a: 'the recorded hash says that B has what was copied: A has changed on its disk',
  b: 'the recorded hash says that A has what was copied: B has changed on its disk',
  unknown: 'no recorded hash says which of them has changed',
} as const;

function listed(name: string, all: readonly Described[], count: number, truncated: boolean): string[] {
  if (count === 0) return [];
  const more = all.length < count || truncated ? `, the first ${all.length} of them` : '';
  return [
    `only on ${name}: ${formatCount(count, 'transaction')}${more}`,
    ...all.map((each) => `  ${transactionLine(each)}`),
  ];
}

function transactionLine({ tid, time, user, description, objects, bytes }: Described): string {
  const words = [user, description].map(quote).join(' ');
  return `${tid}  ${time ?? '-'}  ${formatBytes(bytes)}  ${formatCount(objects, 'object')}  ${words}`;
}

function hintOf(result: CompareResult): string {
  const { lineage, a, b, proven } = result;
  for (const [name, { role }] of [['A', a] as const, ['B', b] as const])
    if (role === 'rejoining') return `a rejoin of ${name} has begun, and has not ended: run it again`;
  if (b.role === 'master' && (lineage === 'behind' || lineage === 'packed'))
    return `B was promoted, so no sync writes to it; ${decide(result)}`;
  switch (lineage) {
    case 'equal':
      return 'nothing to do';
    case 'behind':
      return "'syncpozo sync' from A to B appends what B lacks";
    case 'packed':
      return proven
        ? "'syncpozo sync' from A to B rebuilds B"
        : "'syncpozo sync' from A to B rebuilds B, and keeps B's old file: it is not proven that A has all of it";
    case 'rotten':
    case 'damaged':
      return "keep both files as they are, and check them with 'syncpozo verify' and ZODB's fstest";
    default:
      return decide(result);
  }
}

function decide({ onlyBCount }: CompareResult): string {
  return `decide which side has the data to keep. A's: 'syncpozo rejoin A B' makes a slave of B${onlyBCount > 0 ? ', and keeps what only B has' : ''}. B's: 'syncpozo rejoin B A'`;
}
