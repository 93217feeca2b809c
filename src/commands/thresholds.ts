import { formatSeconds } from '../report/numbers.js';
import type { Figure, State } from '../report/plugin-line.js';
import type { Standing } from '../report/standing.js';

/** Beyond `warning` (if there is one) a WARNING, beyond `critical` CRITICAL; seconds. */
export interface Threshold {
  readonly warning: number | undefined;
  readonly critical: number;
}

export interface Thresholds {
  readonly maxLag: Threshold | undefined;
  readonly maxAge: Threshold | undefined;
  readonly maxScrubAge: Threshold | undefined;
}

/** What a monitor is told: the worst of what was found, in words, the worst first. */
export interface Verdict {
  readonly state: State;
  readonly words: readonly string[];
  readonly figures: readonly Figure[];
}

interface Finding {
  readonly state: State;
  readonly words: string;
}

/** From what wants a person at once to what does not. */
const SEVERITY: readonly State[] = ['CRITICAL', 'WARNING', 'UNKNOWN', 'OK'];

/**
 * Judges a standing for a monitor. Beside the thresholds that were asked for it is told what no threshold says: nothing
 * usable to take over with, a program that uses the slave, a switch that is off, files kept aside.
 *
 * @param now milliseconds since the epoch
 */
export function judge(standing: Standing, thresholds: Thresholds, now: number): Verdict {
  const findings = [...findState(standing)];
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
  // A slave that has been promoted follows nobody: it has no lag, and its last sync grows old.
  if (standing.role !== 'promoted') {
    const { lag, master, lastSync, ageSeconds, lastFullScrub } = standing;
    const why = master?.problem ?? (standing.claim ? 'the transactions name no time' : 'nothing is claimed');
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
      lastSync ? `last sync ${ageSeconds} s ago` : 'never synced',
      'CRITICAL',
    );
    const scrubAge = lastFullScrub === null ? null : Math.max(0, Math.round((now - Date.parse(lastFullScrub)) / 1000));
    const scrubbed = scrubAge === null ? 'no full scrub yet' : `last full scrub ${scrubAge} s ago`;
    measure(thresholds.maxScrubAge, 'scrub_age', scrubAge, scrubbed, 'WARNING');
  }
  figures.push({ name: 'kept_aside', value: standing.keptAside.length, unit: '' });
  findings.sort((a, b) => SEVERITY.indexOf(a.state) - SEVERITY.indexOf(b.state));
  const state = findings[0]?.state ?? 'OK';
  return { state, words: findings.length > 0 ? findings.map(({ words }) => words) : ['nothing to report'], figures };
}

function stateOf(value: number, { warning, critical }: Threshold): State {
  if (value > critical) return 'CRITICAL';
  return warning !== undefined && value > warning ? 'WARNING' : 'OK';
}

function* findState(standing: Standing): Generator<Finding> {
  const { role, claim, size, lockedBy, keptAside, problem } = standing;
  if (role === 'promoted') {
    yield { state: 'WARNING', words: 'the slave has been promoted: there is no standby' };
  } else {
    if (claim === null) yield { state: 'CRITICAL', words: `nothing is claimed: ${problem}` };
    else if (size === null || size < claim.position)
      yield { state: 'CRITICAL', words: `the slave has ${size ?? 0} bytes, ${claim.position} are claimed` };
    if (lockedBy === 'another program')
      yield { state: 'CRITICAL', words: 'another program has the slave open: nothing is synced' };
    if (standing.switch === 'off') yield { state: 'WARNING', words: 'the switch is off: nothing is synced' };
  }
  if (keptAside.length > 0) yield { state: 'WARNING', words: `old slaves kept aside: ${keptAside.length}` };
}
