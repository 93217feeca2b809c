import { formatCount, renderLag } from '../report/numbers.js';
import { quote, visible } from '../report/quote.js';
import { formatBytes } from '../report/size.js';
import type { SideResult } from '../round/result.js';
import type { AgainstResult, BlobsResult, ProblemResult, VerifyResult } from './verify-result.js';

/** The text output of `syncpozo verify`: what was checked, what is wrong, and what to do. */
export function renderVerify(result: VerifyResult): string {
  const rows: [string, string][] = [
    ['file', `${result.path}, ${formatBytes(result.size)}${result.magic ? `, ${result.magic}` : ''}`],
    ...(result.opensOnPython3 === false ? [PYTHON_2] : []),
    [
      'committed',
      `up to ${result.committedEnd}, last transaction ${result.lastTid ?? '-'} of ${result.lastTime ?? '-'}`,
    ],
    [
      'holds',
      [
        formatCount(result.transactions, 'transaction'),
        formatCount(result.records, 'record'),
        ...(result.objects === null ? [] : [formatCount(result.objects, 'object')]),
      ].join(', '),
    ],
    ['tail', TAILS[result.tail]],
    [
      'checksums',
      result.hashedBytes > 0
        ? `${formatBytes(result.hashedBytes)} compared with the .dat`
        : 'none: there is no .dat that records any',
    ],
  ];
  if (!result.pointers) rows.push(['pointers', 'not checked (--no-pointers)']);
  rows.push(['index', INDEX[result.index]]);
  if (result.blobs) rows.push(['blobs', renderBlobs(result.blobs, result.blobsNamed)]);
  else if (result.blobsNamed > 0)
    rows.push(['blobs', `${result.blobsNamed}, not checked: name their directory with --blobs`]);
  if (result.against) rows.push(['master', renderAgainst(result.against, result)]);
  const wrongBlobs = result.blobs ? result.blobs.missing + result.blobs.wrong : 0;
  const problems = result.problemCount + wrongBlobs === 0 ? 'none' : String(result.problemCount + wrongBlobs);
  rows.push(['problems', problems]);
  const width = Math.max(...rows.map(([name]) => name.length));
  const lines = rows.map(([name, value]) => `${`${name}:`.padEnd(width + 2)}${visible(value)}`);
  lines.push(...result.problems.map(renderProblem));
  const unlisted = result.problemCount - result.problems.length;
  if (unlisted > 0) lines.push(`  and ${unlisted} more`);
  lines.push(
    ...(result.blobs?.problems ?? []).map(({ path, kind, message }) => `  blob ${path}: ${kind}: ${visible(message)}`),
  );
  const unlistedBlobs = wrongBlobs - (result.blobs?.problems.length ?? 0);
  if (unlistedBlobs > 0) lines.push(`  and ${unlistedBlobs} more blobs`);
  lines.push(...hintsOf(result).map((hint) => `hint: ${hint}`));
  return `${lines.join('\n')}\n`;
}

function renderBlobs(blobs: BlobsResult, named: number): string {
  const { directory, bytes, hashed, missing, wrong, extra, temporary, foreign } = blobs;
  const found = `${directory}: ${formatCount(named, 'blob')}, ${formatBytes(bytes)}, ${hashed} compared with their checksums`;
  const others = [
    [missing, 'missing'],
    [wrong, 'wrong'],
    [extra, 'that no transaction names'],
    [temporary, 'temporary'],
    [foreign, 'foreign'],
  ] as const;
  return [found, ...others.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`)].join(', ');
}

const PYTHON_2: [string, string] = ['format', 'of a Python 2 site: ZODB on Python 3 does not open it'];

const TAILS: Readonly<Record<VerifyResult['tail'], string>> = {
  none: 'none: the file ends with its last transaction',
  'in-flight': 'a transaction in flight, which is not committed',
  torn: 'bytes that are no complete transaction',
};

const INDEX: Readonly<Record<VerifyResult['index'], string>> = {
  none: 'none',
  right: 'leads to the newest record of every object',
  wrong: 'wrong',
  unchecked: 'not checked (--no-pointers)',
  unread: 'not compared: the ZODB of a Python 2 site writes it in another form',
};

function renderProblem({ position, tid, rule, message, severity }: ProblemResult): string {
  const where = tid === null ? `at ${position}` : `at ${position}, transaction ${tid}`;
  return `  ${where}: ${rule}: ${visible(message)} (${DONE_BY_ZODB[severity]})`;
}

const DONE_BY_ZODB: Readonly<Record<ProblemResult['severity'], string>> = {
  refused: 'ZODB does not open such a file',
  truncated: 'ZODB cuts the file off here, or reads no further',
  warned: 'ZODB logs a warning',
  unnoticed: 'ZODB does not notice',
};

function renderAgainst(against: AgainstResult, result: VerifyResult): string {
  const { relation, lag, path } = against;
  const text = relation === null ? `not compared: ${against.problem}` : words();
  return `${path}: ${text}${relation !== null && against.problem ? `; the master is ${against.problem}` : ''}`;

  function words(): string {
    const sides = `only here ${renderSide(result.onlyHere)}, only there ${renderSide(result.onlyThere)}`;
    const from = `equal up to ${result.equalUpTo}`;
    switch (relation) {
      case 'equal':
        return 'equal, byte for byte';
      case 'behind':
        return `${from}, and behind${lag ? ` by ${renderLag(lag)}` : ''}`;
      case 'differs':
        return `${from}; the first byte that differs is at ${against.firstDifference}, in a transaction that both have`;
      case 'packed':
        return `${from}; packed since the last sync, so the bytes cannot be compared`;
      default:
        return `${from}; forked: ${sides}`;
    }
  }
}

function renderSide(side: SideResult | null): string {
  if (!side || side.transactions === 0) return 'nothing';
  const { transactions, atLeast, firstTid, lastTid } = side;
  const tids = firstTid === lastTid ? firstTid : `${firstTid} to ${lastTid}`;
  return `${atLeast ? 'at least ' : ''}${formatCount(transactions, 'transaction')} (${tids})`;
}

function hintsOf(result: VerifyResult): string[] {
  const rules = new Set(result.problems.map(({ rule }) => rule));
  const hints: string[] = [];
  if (result.opensOnPython3 === false)
    hints.push(
      "when the site moves to Python 3, 'zodbupdate --convert-py3' converts the master; it writes to the file",
    );
  if (result.blobs && result.blobs.missing + result.blobs.wrong > 0)
    hints.push(
      "a sync with '--scrub full' brings a slave's blobs again from a master that has them; what the master has lost is in its backup only",
    );
  if (rules.delete('index'))
    hints.push("remove Data.fs.index: ZODB makes a new one when it starts, and 'syncpozo index' before that");
  if (rules.delete('dat')) hints.push('a sync compares all of the slave, and writes a .dat that can be used');
  if (rules.size > 0)
    hints.push("keep this file as it is; a slave is rebuilt from an undamaged master by 'syncpozo sync --full'");
  switch (result.against?.relation) {
    case 'packed':
      hints.push('sync, then verify again');
      break;
    case 'ahead':
    case 'parted':
      hints.push('decide which side has the data to keep; see docs/way-back.md');
      break;
    case 'differs':
      hints.push(`verify the master as well: ${quote(result.against.path)}; one of the two has changed on its disk`);
      break;
  }
  return hints;
}
