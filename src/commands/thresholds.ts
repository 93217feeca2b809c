import { formatSeconds } from '../report/numbers.js';
import type { Figure, State } from '../report/plugin-line.js';
import { renderState, type Standing } from '../report/standing.js';

/** In seconds: a value above `warning` (if set) is a WARNING, above `critical` CRITICAL. */
export interface Threshold {
  readonly warning: number | undefined;
  readonly critical: number;
}

export interface Thresholds {
  readonly maxLag: Threshold | undefined;
  readonly maxAge: Threshold | undefined;
  readonly maxScrubAge: Threshold | undefined;
}

/** The plugin's output for a monitor: the worst state, and the findings in words, worst first. */
export interface Verdict {
  readonly state: State;
  readonly words: readonly string[];
  readonly figures: readonly Figure[];
}

interface Finding {
  readonly state: State;
  readonly words: string;
}

/** From the most to the least urgent. */
export const SEVERITY: readonly State[] = ['CRITICAL', 'WARNING', 'UNKNOWN', 'OK'];

/** How long syncs may keep failing, for a monitor that sets no limit for the age. About ten cron runs. */
const FAILING_LIMIT_SECONDS = 600;

/**
 * Judges a standing for a monitor. In addition to the given thresholds it reports problems without a threshold: a
 * refusal, a damaged master, failing syncs, nothing usable for a takeover, a program that uses the slave, a switch that
 * is off, files kept aside, files of lost transactions.
 *
 * @param now milliseconds since the epoch
 */
export function judge(standing: Standing, thresholds: Thresholds, now: number): Verdict {
  const findings = [...findState(standing, thresholds.maxAge?.critical ?? FAILING_LIMIT_SECONDS, now)];
  const figures: Figure[] = [];
  const measure = (
    threshold: Threshold | undefined,
    figure: string,
    value: number | null,
    words: string,
    unknown: State,
  ): void => {
    if (!threshold) return;
    if (value === null) return void findings.push({ state: unknown, words });
    figures.push({ name: figure, value, unit: 's', ...threshold });
    findings.push({ state: stateOf(value, threshold), words });
  };
  // A promoted slave follows no master: it has no lag, and its last sync grows old.
  if (standing.role !== 'promoted') {
    const { lag, master, lastSync, ageSeconds, blobs } = standing;
    const lastFullScrub = blobs ? earlier(standing.lastFullScrub, blobs.lastFullScrub) : standing.lastFullScrub;
    const why = master?.problem ?? standing.lagProblem ?? 'the transactions name no time';
    measure(
      thresholds.maxLag,
      'lag',
      lag?.seconds ?? null,
      lag && lag.seconds !== null ? `lag ${formatSeconds(lag.seconds)}` : `lag not known: ${why}`,
      'UNKNOWN',
    );
    measure(
      thresholds.maxAge,
      'age',
      ageSeconds,
      lastSync ? `last sync ${formatSeconds(ageSeconds ?? 0)} ago` : 'no sync in step is recorded',
      'CRITICAL',
    );
    const scrubAge = lastFullScrub === null ? null : Math.max(0, Math.round((now - Date.parse(lastFullScrub)) / 1000));
    const scrubbed = scrubAge === null ? 'no full scrub yet' : `last full scrub ${formatSeconds(scrubAge)} ago`;
    measure(thresholds.maxScrubAge, 'scrub_age', scrubAge, scrubbed, 'WARNING');
  }
  figures.push({ name: 'kept_aside', value: standing.keptAside.length, unit: '' });
  figures.push({ name: 'lost_files', value: standing.lostFiles.length, unit: '' });
  findings.sort((a, b) => SEVERITY.indexOf(a.state) - SEVERITY.indexOf(b.state));
  const state = findings[0]?.state ?? 'OK';
  return { state, words: findings.length > 0 ? findings.map(({ words }) => words) : ['nothing to report'], figures };
}

/** The earlier of two times; null where one of them is. */
function earlier(one: string | null, other: string | null): string | null {
  if (one === null || other === null) return null;
  return one < other ? one : other;
}

function stateOf(value: number, { warning, critical }: Threshold): State {
  if (value > critical) return 'CRITICAL';
  return warning !== undefined && value > warning ? 'WARNING' : 'OK';
}

function* findState(standing: Standing, failingLimit: number, now: number): Generator<Finding> {
  const { role, claim, size, state, lockedBy, keptAside, lostFiles, problem } = standing;
  if (role === 'promoted') {
    yield { state: 'WARNING', words: 'the slave has been promoted: there is no standby' };
  } else {
    if (claim === null) yield { state: 'CRITICAL', words: `nothing is claimed: ${problem}` };
    else if (size === null || size < claim.position)
      yield { state: 'CRITICAL', words: `the slave has ${size ?? 0} bytes, ${claim.position} are claimed` };
    const missing = standing.blobs?.missing ?? 0;
    if (missing > 0) yield { state: 'CRITICAL', words: `blobs missing on the master: ${missing}` };
    const gone = standing.blobs?.problem ?? null;
    if (gone !== null) yield { state: 'CRITICAL', words: gone };
    if (lockedBy === 'another program')
      yield { state: 'CRITICAL', words: 'another program has the slave open: nothing is synced' };
    else if (state === 'in-use') yield { state: 'CRITICAL', words: renderState(standing) };
    if (state === 'refused' || state === 'forked' || state === 'damaged')
      yield { state: 'CRITICAL', words: renderState(standing) };
    if (standing.since !== null && (state === 'out-of-reach' || state === 'fault'))
      yield { state: stateOfFailing(standing, failingLimit, now), words: renderState(standing) };
    if (standing.switch === 'off') yield { state: 'WARNING', words: 'the switch is off: nothing is synced' };
  }
  if (keptAside.length > 0) yield { state: 'WARNING', words: `old slaves kept aside: ${keptAside.length}` };
  if (lostFiles.length > 0) yield { state: 'WARNING', words: `files of lost transactions: ${lostFiles.length}` };
}

/**
 * State for failing syncs: by the time since the slave was last in step, because troubles of several kinds may
 * alternate. With the switch off no sync runs, which is a warning of its own.
 */
function stateOfFailing({ since, ageSeconds, switch: switchNow }: Standing, limit: number, now: number): State {
  const failing = since === null ? 0 : (now - Date.parse(since)) / 1000;
  return switchNow === 'on' && Math.max(failing, ageSeconds ?? 0) > limit ? 'CRITICAL' : 'WARNING';
}
