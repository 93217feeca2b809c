import { basename, join } from 'node:path';
import { listDirectory } from '../io/directory.js';
import { factsOfPath } from '../io/facts.js';
import { durableReplace, durableReplaceByPieces, type Ownership, readSmallTextIfAny } from '../io/replace.js';
import { type LostNames, namesOfStem } from './lost-names.js';
import type { LostReport } from './lost-report.js';

/** More than MOST_OBJECTS objects and MOST_TRANSACTIONS transactions take. */
const LARGEST = 1 << 28;
const JSON_NAME = /^lost-[0-9a-f]{16}-[0-9a-f]{16}(-\d+)?\.json$/;

/** Writes the report, for people and for programs, durably. The last to get its name is the one for programs. */
export function writeLostReport(names: LostNames, report: LostReport, text: string, owner: Ownership): void {
  durableReplace(names.text, text, owner);
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

/** The newest report in a directory of what was cut off behind this place; undefined where there is none. */
export function findLost(directory: string, fork: { readonly position: number }): LostNames | undefined {
  const found = listDirectory(directory)
    .filter((name) => JSON_NAME.test(name))
    .filter((name) => readLostReport(join(directory, name))?.fork?.position === fork.position)
    .map((name) => ({ name, at: BigInt(factsOfPath(join(directory, name))?.mtime ?? 0) }))
    .sort((a, b) => (a.at < b.at ? 1 : -1));
  const [newest] = found;
  return newest && namesOfStem(join(directory, basename(newest.name, '.json')));
}
