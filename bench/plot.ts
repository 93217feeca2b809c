import { formatBytes } from '../src/report/size.js';
import type { Measurement } from './row.js';
import { medianSeconds } from './statistics.js';

/** The lines of the plot: the rows measured on a medium, ours solid and the peers' dashed. */
interface Line {
  readonly row: string;
  readonly name: string;
  readonly label: string;
  readonly colour: number;
  readonly ours: boolean;
}

const LINES: readonly Line[] = [
  { row: 'full-copy', name: 'sync', label: 'full copy: sync', colour: 0, ours: true },
  { row: 'full-copy', name: 'cp', label: 'full copy: cp', colour: 0, ours: false },
  { row: 'full-copy', name: 'cp and sync', label: 'full copy: cp, sync', colour: 0, ours: false },
  { row: 'full-copy', name: 'rsync --append-verify', label: 'full copy: rsync', colour: 1, ours: false },
  { row: 'verify', name: 'verify', label: 'verify', colour: 2, ours: true },
  { row: 'verify', name: 'fstest', label: 'fstest', colour: 2, ours: false },
  { row: 'index', name: 'index', label: 'index', colour: 3, ours: true },
  { row: 'index', name: 'FileStorage without an index', label: 'FileStorage without index', colour: 3, ours: false },
  { row: 'append', name: 'sync of 1 MiB', label: 'append 1 MiB: sync', colour: 4, ours: true },
  { row: 'append', name: 'rsync --append-verify of 1 MiB', label: 'append 1 MiB: rsync', colour: 4, ours: false },
  { row: 'nothing-new', name: 'sync', label: 'nothing new: sync', colour: 5, ours: true },
  { row: 'nothing-new', name: 'repozo -B -Q', label: 'nothing new: repozo -Q', colour: 5, ours: false },
];

const WIDTH = 480;
const HEIGHT = 380;
const LEFT = 56;
const RIGHT = 170;
const TOP = 34;
const BOTTOM = 40;
const LABEL_HEIGHT = 13;
const DECADES = [0.1, 1, 10, 100];

/** Medium tones that are readable on white and on black. */
const COLOURS = ['#2f7ed8', '#8a63d2', '#1f9e6e', '#d9792b', '#d64550', '#7a8a2e'];
const STYLE = `text{font:11px system-ui,sans-serif;fill:#24292f}.title{font-weight:600;font-size:13px}.grid{stroke:#8c959f;stroke-opacity:.35}
@media (prefers-color-scheme:dark){text{fill:#e6edf3}}`;

interface Point {
  readonly bytes: number;
  readonly seconds: number;
}

/** Time against size, both logarithmic, one panel per medium: SVG. */
export function plot(measurements: readonly Measurement[]): string {
  const media = [...new Set(measurements.map(({ medium }) => medium))].filter((medium) => medium !== 'network');
  const panels = media.map((medium, n) => {
    const here = measurements.filter((one) => one.medium === medium);
    const title = medium === 'memory' ? 'in memory' : 'on disk';
    return `<g transform="translate(${n * (WIDTH + 10)},0)">${panel(title, here)}</g>`;
  });
  const width = Math.max(1, media.length) * (WIDTH + 10) - 10;
  const open = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${HEIGHT}" width="${width}" height="${HEIGHT}" role="img">`;
  const title = '<title>Seconds against the size of the file</title>';
  return `${open}\n${title}\n<style>${STYLE}</style>\n${panels.join('\n')}\n</svg>\n`;
}

function panel(title: string, measurements: readonly Measurement[]): string {
  const sizes = [...new Set(measurements.map(({ bytes }) => bytes))].sort((a, b) => a - b);
  const lines = LINES.map((line) => ({ line, points: pointsOf(line, measurements) })).filter(
    ({ points }) => points.length > 0,
  );
  const [x, y] = scales(
    sizes,
    lines.flatMap(({ points }) => points.map(({ seconds }) => seconds)),
  );
  const grid = DECADES.filter((seconds) => y(seconds) >= TOP && y(seconds) <= HEIGHT - BOTTOM).map(
    (seconds) =>
      `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${round(y(seconds))}" y2="${round(y(seconds))}"/>` +
      text(LEFT - 6, y(seconds) + 4, `${seconds} s`, 'end'),
  );
  const ticks = sizes.map((bytes) => text(x(bytes), HEIGHT - BOTTOM + 18, formatBytes(bytes), 'middle'));
  const places = spread(lines.map(({ points }) => y(points.at(-1)?.seconds ?? 1)));
  const curves = lines.map(({ line, points }, n) => {
    const path = points.map(({ bytes, seconds }) => `${round(x(bytes))},${round(y(seconds))}`);
    const colour = COLOURS[line.colour] ?? '#888';
    const dashes = line.ours ? '' : ' stroke-dasharray="3 3"';
    const dots = path.map(
      (at) => `<circle cx="${at.split(',')[0]}" cy="${at.split(',')[1]}" r="2.5" fill="${colour}"/>`,
    );
    return (
      `<polyline points="${path.join(' ')}" fill="none" stroke="${colour}" stroke-width="${line.ours ? 2.2 : 1.4}"${dashes}/>` +
      dots.join('') +
      `<text x="${WIDTH - RIGHT + 10}" y="${round((places[n] ?? 0) + 4)}" style="fill:${colour}">${line.label}</text>`
    );
  });
  return [
    `<text class="title" x="${LEFT}" y="18">${title}; full lines: syncpozo</text>`,
    ...grid,
    ...ticks,
    ...curves,
  ].join('\n');
}

function pointsOf({ row, name }: Line, measurements: readonly Measurement[]): Point[] {
  return measurements
    .filter((one) => one.row === row)
    .flatMap(({ bytes, series }) =>
      series.filter((one) => one.name === name).map((one) => ({ bytes, seconds: medianSeconds(one) })),
    )
    .sort((a, b) => a.bytes - b.bytes);
}

type Scale = (value: number) => number;

function scales(sizes: readonly number[], seconds: readonly number[]): [Scale, Scale] {
  const logarithmic = (values: readonly number[], from: number, to: number): Scale => {
    const [least, most] = [Math.log(Math.min(...values)), Math.log(Math.max(...values))];
    return (value) => from + ((to - from) * (Math.log(value) - least)) / (most - least || 1);
  };
  return [
    logarithmic(sizes, LEFT + 8, WIDTH - RIGHT - 4),
    logarithmic([...seconds, DECADES[0] ?? 0.1], HEIGHT - BOTTOM, TOP),
  ];
}

/** Moves overlapping labels apart and keeps their order. */
function spread(ideal: readonly number[]): number[] {
  const order = ideal.map((_, n) => n).sort((a, b) => (ideal[a] ?? 0) - (ideal[b] ?? 0));
  const places = [...ideal];
  let least = TOP;
  for (const n of order) {
    places[n] = Math.max(least, ideal[n] ?? 0);
    least = (places[n] ?? 0) + LABEL_HEIGHT;
  }
  const over = Math.max(0, least - LABEL_HEIGHT - (HEIGHT - BOTTOM));
  let most = HEIGHT - BOTTOM;
  for (const n of over > 0 ? order.reverse() : []) {
    places[n] = Math.min(most, places[n] ?? 0);
    most = (places[n] ?? 0) - LABEL_HEIGHT;
  }
  return places;
}

function text(x: number, y: number, content: string, anchor: string): string {
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}">${content}</text>`;
}

function round(value: number): string {
  return value.toFixed(1);
}
