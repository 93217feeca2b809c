import { durableReplaceByPieces, type Ownership, readSmallTextIfAny, replaceSynced } from '../io/replace.js';
import type { LostNames } from './lost-names.js';
import type { LostReport } from './lost-report.js';

/** More than MOST_OBJECTS objects and MOST_TRANSACTIONS transactions take. */
const LARGEST = 1 << 28;

/** Writes the report, for people and for programs, durably. The last to get its name is the one for programs. */
export function writeLostReport(names: LostNames, report: LostReport, text: string, owner: Ownership): void {
  replaceSynced(names.text, text, owner);
  durableReplaceByPieces(names.json, encode(report), owner);
}

/** JSON with one transaction or object on a line, in pieces. */
function* encode(report: LostReport): Generator<Uint8Array> {
  const { transactions, objects, ...facts } = report;
  const head = JSON.stringify(facts, undefined, 1);
  yield Buffer.from(`${head.slice(0, head.lastIndexOf('\n'))},\n "transactions": [`);
  yield* lines(transactions);
  yield Buffer.from('],\n "objects": [');
  yield* lines(objects);
  yield Buffer.from(']\n}\n');
}

function* lines(items: readonly object[]): Generator<Uint8Array> {
  for (const [index, item] of items.entries())
    yield Buffer.from(`${index === 0 ? '\n' : ',\n'}  ${JSON.stringify(item)}`);
}

/** The report in a file; undefined where there is none, or something else. */
export function readLostReport(path: string): LostReport | undefined {
  try {
    const value: unknown = JSON.parse(readSmallTextIfAny(path, LARGEST));
    return isReport(value) ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** It was written by this program, or by a later version of it, so a few fields show whether it is one at all. */
function isReport(value: unknown): value is LostReport {
  if (typeof value !== 'object' || value === null || !('counts' in value && 'file' in value)) return false;
  const { counts, file } = value;
  const hasLists =
    'objects' in value && Array.isArray(value.objects) && 'transactions' in value && Array.isArray(value.transactions);
  return hasLists && typeof file === 'string' && typeof counts === 'object' && counts !== null && 'objects' in counts;
}
