import { formatBytes } from '../src/report/size.js';
import { acrossSizes } from './growth.js';
import type { describeMachine } from './machine.js';
import type { Peer } from './peers.js';
import type { Measurement } from './row.js';
import { medianCpu, medianSeconds, peak, range, type Series } from './statistics.js';
import type { Target } from './target.js';

/** Results of a run of the benchmarks. */
export interface Results {
  readonly runs: number;
  readonly machine: ReturnType<typeof describeMachine>;
  readonly peers: readonly Peer[];
  readonly measurements: readonly Measurement[];
  /** What was not measured, and why. */
  readonly leftOut: readonly string[];
  /** What failed or gave a wrong result. */
  readonly failed: readonly string[];
}

const MIB = 1 << 20;
const NONE = '';

/** The page of results in Markdown. */
export function renderResults(results: Results): string {
  const { runs, machine, peers, measurements } = results;
  // For a failure the page names only the row: the message may contain paths of this machine.
  const leftOut = [...results.leftOut, ...results.failed.map((text) => `${text.split(': ')[0]}: failed`)];
  return `${[
    '# What the benchmarks have measured',
    introduction(runs),
    table(['machine', ''], machine),
    table(
      ['compared with', 'version'],
      peers.map(({ name, version }) => [name, version ?? 'not installed']),
    ),
    ...(leftOut.length > 0 ? ['Left out:', leftOut.map((text) => `* ${text}`).join('\n')] : []),
    '## Targets',
    targetTable(results),
    '![How the time grows with the size of the file](results.svg)',
    ...measurements.map(section),
  ].join('\n\n')}\n`;
}

function introduction(runs: number): string {
  return [
    '`npm run bench` has written this page. Each figure is the time of a whole process, from its start to its end: the median of',
    `at least ${runs} runs, the shortest and the longest. The contenders of a table ran in turn, and a run counts only if what it did was`,
    'right. Compare within a table, not between tables: the machine does other things beside. Processor time, that of all threads,',
    'shows less of them.',
  ].join('\n');
}

/** Every target and whether it was met. */
export function targetTable({ measurements }: Results): string {
  const rows = measurements.flatMap(({ medium, bytes, title, targets }) =>
    targets.map((target) => [place(medium, bytes), title, ...judged(target)]),
  );
  const across = acrossSizes(measurements).map((target) => ['all sizes', 'growth', ...judged(target)]);
  return table(['where', 'what', 'target', 'measured', 'met'], [...rows, ...across]);
}

function judged({ asked, measured, met }: Target): string[] {
  return [asked, measured, met ? 'yes' : '**no**'];
}

function section({ medium, bytes, title, note, series }: Measurement): string {
  const first = series[0];
  const rows = series.map((one) => [
    one.name,
    milliseconds(medianSeconds(one)),
    span(one),
    processor(one),
    memory(one),
    against(one, first),
  ]);
  const heading = `## ${title}: ${place(medium, bytes)}`;
  const head = ['', 'median, ms', 'range, ms', 'processor, ms', 'memory, MiB', `against ${first?.name}`];
  return [heading, ...(note === undefined ? [] : [note]), table(head, rows)].join('\n\n');
}

function place(medium: string, bytes: number): string {
  return `${formatBytes(bytes)}, ${medium === 'disk' ? 'on disk' : medium === 'memory' ? 'in memory' : 'slow mount'}`;
}

function milliseconds(seconds: number): string {
  return (1000 * seconds).toFixed(0);
}

function span(series: Series): string {
  return range(series).map(milliseconds).join(' – ');
}

function processor(series: Series): string {
  const seconds = medianCpu(series);
  return seconds === undefined ? NONE : milliseconds(seconds);
}

function memory(series: Series): string {
  const bytes = peak(series);
  return bytes === undefined ? NONE : (bytes / MIB).toFixed(0);
}

function against(series: Series, first: Series | undefined): string {
  return first ? (medianSeconds(series) / medianSeconds(first)).toFixed(2) : NONE;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
