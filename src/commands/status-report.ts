import { resolve } from 'node:path';
import { refuseDataFile } from '../io/data-file.js';
import { ownTemporaryOf, replaceText } from '../io/replace.js';
import { writeToStdout } from '../io/sink.js';
import { labelled, renderMetrics } from '../report/exposition.js';
import { type Figure, renderPluginLine, STATES, type State } from '../report/plugin-line.js';
import { renderPrometheus, standingMetrics } from '../report/prometheus.js';
import { renderStanding, type Standing } from '../report/standing.js';
import { worstExit } from '../report/worst-exit.js';
import { EXIT } from '../round/exit.js';
import { failedEnd, titled } from './each-storage.js';
import { reportError } from './report-error.js';
import { SEVERITY, type Threshold, type Verdict } from './thresholds.js';

/** The options that say what is printed of a standing, and where. */
export interface ReportFlags {
  readonly json?: boolean;
  readonly prometheus?: boolean;
  readonly output?: string;
  readonly maxLag?: Threshold;
  readonly maxAge?: Threshold;
  readonly maxScrubAge?: Threshold;
}

/** A slave's standing, and what a monitor is to make of it. */
export interface Report {
  readonly standing: Standing;
  readonly verdict: Verdict;
  /** When it was read, in milliseconds since the epoch. */
  readonly now: number;
}

/** What came of one storage: a report, or the error of reading its files. */
export type StorageReport = Report | { readonly error: unknown };

const READABLE_FOR_ALL = 0o644;

/** Whether a limit is given: the output and the exit status are then those of a monitoring plugin. */
export function isJudged({ maxLag, maxAge, maxScrubAge }: ReportFlags): boolean {
  return maxLag !== undefined || maxAge !== undefined || maxScrubAge !== undefined;
}

/** Prints the report on one slave in the requested form; returns its state for a monitor. */
export function printReport(report: Report, flags: ReportFlags): State {
  const { standing, verdict, now } = report;
  const line = isJudged(flags) ? renderPluginLine(verdict.state, verdict.words, verdict.figures) : '';
  const whole = flags.json
    ? `${JSON.stringify(objectOf(report, flags))}\n`
    : flags.prometheus
      ? renderPrometheus(standing, now)
      : line + renderStanding(standing);
  deliver(whole, line, flags);
  return verdict.state;
}

/** Prints the reports on several storages; returns the exit status. */
export function printReports(reports: ReadonlyMap<string, StorageReport>, flags: ReportFlags): number {
  const all = [...reports];
  const judged = isJudged(flags);
  const verdict = verdictOf(reports);
  const line = judged ? renderPluginLine(verdict.state, verdict.words, verdict.figures) : '';
  for (const [name, report] of all) {
    // A monitor gets it in the line.
    const isInLine = judged && !flags.json && !flags.prometheus;
    if ('error' in report && !isInLine) reportError(report.error, name);
  }
  const codes = all.map(([, report]) => ('error' in report ? failedEnd(report.error).exitCode : EXIT.ok));
  const exitCode = judged ? STATES.indexOf(verdict.state) : worstExit(codes);
  const read = all.flatMap(([name, report]) => ('error' in report ? [] : [[name, report] as const]));
  const json = (): string => {
    const objects = all.map(([name, each]) => [
      name,
      'error' in each ? failedEnd(each.error).json : objectOf(each, flags),
    ]);
    return `${JSON.stringify({ storages: Object.fromEntries(objects), exitCode })}\n`;
  };
  const whole = flags.json
    ? json()
    : flags.prometheus
      ? prometheusOf(read)
      : line + read.map(([name, { standing }]) => titled(name, renderStanding(standing))).join('');
  deliver(whole, line, flags);
  return exitCode;
}

/** As the figures of a watch, by the names of the storages too. */
function prometheusOf(reports: readonly (readonly [string, Report])[]): string {
  return renderMetrics(
    reports.flatMap(([storage, { standing, now }]) =>
      labelled({ slave: standing.slave, storage }, standingMetrics(standing, now)),
    ),
  );
}

function objectOf({ standing, verdict: { state, words } }: Report, flags: ReportFlags): object {
  return { ...standing, check: isJudged(flags) ? { state, exitCode: STATES.indexOf(state), words } : null };
}

/** The verdicts on all storages as one, each word and figure with the name of its storage. */
function verdictOf(reports: ReadonlyMap<string, StorageReport>): Verdict {
  const each = [...reports].map(([name, report]): Verdict => {
    if (!('error' in report)) {
      const { state, words, figures } = report.verdict;
      const named = (figure: Figure): Figure => ({ ...figure, name: `${name}_${figure.name}` });
      return { state, words: [`${name}: ${words.join(', ')}`], figures: figures.map(named) };
    }
    const { error } = report;
    return { state: 'UNKNOWN', words: [`${name}: ${error instanceof Error ? error.message : error}`], figures: [] };
  });
  const sorted = each.toSorted((a, b) => SEVERITY.indexOf(a.state) - SEVERITY.indexOf(b.state));
  return {
    state: sorted[0]?.state ?? 'OK',
    words: [sorted.flatMap(({ words }) => words).join('; ')],
    figures: each.flatMap(({ figures }) => figures),
  };
}

function deliver(whole: string, line: string, { output }: ReportFlags): void {
  if (output === undefined) return writeToStdout(whole);
  const path = resolve(output);
  refuseDataFile(path);
  replaceText(path, whole, { mode: READABLE_FOR_ALL }, ownTemporaryOf(path));
  writeToStdout(line);
}
