import type { Bad } from './enumerate.js';

/** The result of enumerating one scenario. */
export interface Line {
  readonly scenario: string;
  readonly points: number;
  /** States that no earlier line has counted. */
  readonly states: number;
  readonly seconds: number;
  readonly bad: readonly Bad[];
}

const SHOWN = 10;

/** The report: a line per scenario, and a sum. */
export function reportOf(lines: readonly Line[]): string[] {
  const sum = (of: (line: Line) => number): number => lines.reduce((total, line) => total + of(line), 0);
  const text = (name: string, points: number, states: number, seconds: number): string =>
    `${name}: ${points} crash points, ${states} distinct states, ${seconds.toFixed(1)} s`;
  return [
    ...lines.map(({ scenario, points, states, seconds }) => text(scenario, points, states, seconds)),
    text(
      `${lines.length} scenarios`,
      sum(({ points }) => points),
      sum(({ states }) => states),
      sum(({ seconds }) => seconds),
    ),
  ];
}

/** The kinds of bad states, each with its count and its first example. */
export function badKinds(bad: readonly Bad[]): string {
  const kinds = new Map<string, Bad[]>();
  for (const each of bad) kinds.set(each.problem, [...(kinds.get(each.problem) ?? []), each]);
  const kindLines = [...kinds].map(([problem, all]) => {
    const { case: name, point, disk } = all[0]!;
    return `${all.length} x ${problem}\n    first: ${name}, crash after change ${point}, on disk: ${disk}`;
  });
  const more = kindLines.length > SHOWN ? [`and ${kindLines.length - SHOWN} more kinds`] : [];
  return [`${bad.length} bad states`, ...kindLines.slice(0, SHOWN), ...more].join('\n');
}
