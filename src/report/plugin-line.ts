import { visible } from './quote.js';

/** The states of monitoring plugins; the index in this list is the exit status. */
export const STATES = ['OK', 'WARNING', 'CRITICAL', 'UNKNOWN'] as const;
export type State = (typeof STATES)[number];

/** A figure with its thresholds, for the monitor's graphs. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: 's' | '';
  readonly warning?: number | undefined;
  readonly critical?: number | undefined;
}

/** The first line of a monitoring plugin: `SYNCPOZO OK - lag 3 s, last sync 12 s ago|lag=3s;60;600;0`. */
export function renderPluginLine(state: State, words: readonly string[], figures: readonly Figure[] = []): string {
  // A vertical bar would start the performance data.
  const text = visible(words.join(', ')).replaceAll('|', '/');
  const data = figures.map(
    ({ name, value, unit, warning, critical }) => `${name}=${value}${unit};${warning ?? ''};${critical ?? ''};0`,
  );
  return `SYNCPOZO ${state} - ${text}${data.length > 0 ? `|${data.join(' ')}` : ''}\n`;
}
