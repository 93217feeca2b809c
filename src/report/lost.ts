import { formatCount } from './numbers.js';
import { visible } from './quote.js';
import { formatBytes } from './size.js';

/** What only one side had, as `extract/lost-report.ts` has it. */
export interface LostFacts {
  readonly file: string;
  readonly source: string;
  readonly firstTime: string | null;
  readonly firstTid: string;
  readonly lastTime: string | null;
  readonly lastTid: string;
  readonly bytes: number;
  readonly counts: {
    readonly transactions: number;
    readonly objects: number;
    readonly createdHere: number;
    readonly blobs: number;
    readonly unchanged: number | null;
    readonly changed: number | null;
    readonly deleted: number | null;
    readonly sameOid: number | null;
  };
  readonly blobs: {
    readonly directory: string;
    readonly files: number;
    readonly bytes: number;
    readonly missing: number;
  } | null;
  readonly transactions: readonly {
    readonly tid: string;
    readonly time: string | null;
    readonly user: string;
    readonly description: string;
    readonly bytes: number;
    readonly objects: number;
  }[];
  readonly objects: readonly {
    readonly oid: string;
    readonly bytes: number;
    readonly class: string | null;
    readonly blob: boolean;
    readonly createdHere: boolean;
    readonly since: 'unchanged' | 'changed' | 'deleted' | null;
    readonly sinceTime: string | null;
    readonly sameOid: boolean | null;
  }[];
}

/** A person reads so many; the report for programs has more. */
const LISTED = 200;

/** The report for people: what was lost, where it is, what to do, then the lists. `json`: the report for programs. */
export function renderLost(report: LostFacts, { json }: { readonly json: string }): string {
  const { counts, transactions, objects } = report;
  return [
    `${formatCount(counts.transactions, 'transaction')} with ${formatCount(counts.objects, 'object')}, from ${
      report.firstTime ?? report.firstTid
    } to ${report.lastTime ?? report.lastTid}, exist on this side only: the side that serves does not have them.`,
    whereItIs(report),
    sinceThen(report),
    whatToDo(report),
    list('Transactions', transactions.map(transactionLine), counts.transactions, json),
    list('Objects', objects.map(objectLine), counts.objects, json),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
    .concat('\n');
}

function whereItIs({ file, source, bytes, blobs, counts }: LostFacts): string {
  const lines = [`They were in ${source}, and are now in`, `  ${file} (${formatBytes(bytes)})`];
  if (blobs) {
    lines.push(`  ${blobs.directory} (${formatCount(blobs.files, 'blob')}, ${formatBytes(blobs.bytes)})`);
    if (blobs.missing > 0) lines.push(`The files of ${formatCount(blobs.missing, 'blob')} were not found.`);
  } else if (counts.blobs > 0) {
    const what = formatCount(counts.blobs, 'blob');
    lines.push(
      `The files of ${what} are not kept here, because no blob directory was given. They are still in that of ${source}.`,
    );
  }
  lines.push('Keep these: nothing else has this data.');
  return lines.join('\n');
}

function sinceThen({ counts }: LostFacts): string {
  const { unchanged, changed, deleted, sameOid } = counts;
  if (unchanged === null || changed === null || deleted === null) return '';
  const lines = [
    `The side that serves has since changed ${changed} of these objects, deleted ${deleted}, and left ${unchanged} as they were.`,
  ];
  if (sameOid) {
    lines.push(
      `${formatCount(sameOid, 'object')} of these and a different object of the side that serves have the same oid: both sides created them.`,
    );
  }
  return lines.join('\n');
}

function whatToDo({ file }: LostFacts): string {
  return [
    'What to do next:',
    '  1. Nothing is urgent: the side that serves goes on, and these files stay.',
    '  2. Read the list below: who wrote what. Ask those people whether they have entered it again.',
    '  3. To see or copy the content, open the file with ZODB, read-only: docs/way-back.md has a script.',
    `     The transactions with their objects: fsdump ${file}`,
    '     Do not copy the file over a Data.fs, and do not append it to one.',
    '  4. When nobody needs the content any more, remove the files lost-... yourself: syncpozo never does.',
  ].join('\n');
}

function transactionLine({ tid, time, user, description, bytes, objects }: LostFacts['transactions'][number]): string {
  const words = [user, description].filter((text) => text !== '').map((text) => visible(text));
  return [`  ${tid}`, time ?? '-', formatBytes(bytes), formatCount(objects, 'object'), ...words].join('  ').trimEnd();
}

function objectLine(object: LostFacts['objects'][number]): string {
  const kind = object.class === null ? '-' : visible(object.class);
  const facts = [
    object.createdHere ? 'created' : 'changed',
    object.blob ? 'blob' : '',
    object.bytes === 0 ? 'its creation was undone' : formatBytes(object.bytes),
  ];
  const there =
    object.since === null ? '' : `serving side: ${object.since}${object.sinceTime ? ` ${object.sinceTime}` : ''}`;
  return [`  ${object.oid}`, kind, ...facts, there, object.sameOid ? 'THE SAME OID ON BOTH SIDES' : '']
    .filter((part) => part !== '')
    .join('  ');
}

function list(title: string, lines: readonly string[], all: number, json: string): string {
  const shown = lines.slice(0, LISTED);
  const rest = all - shown.length;
  return [`${title}:`, ...shown, ...(rest > 0 ? [`  and ${rest} more: see ${json}`] : [])].join('\n');
}
