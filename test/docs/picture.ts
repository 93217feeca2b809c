import { spawnSync } from 'node:child_process';
import { PROGRAM } from '../support/cli.js';
import { inProject } from '../support/root.js';

/** Where the README shows it. */
export const PICTURE = inProject('docs', 'demo.svg');

/** The steps of the demo that make up a takeover, by their titles. */
const SHOWN_STEPS: readonly RegExp[] = [
  /^\d+\. A site: /,
  /^\d+\. The first sync /,
  /^\d+\. The takeover: /,
  /^\d+\. The slave serves: /,
  /^\d+\. The way back: /,
];

const COLUMNS = 128;
const LINE_HEIGHT = 18;
const CHARACTER_WIDTH = 7.8;
const MARGIN = 16;
const TITLE_BAR = 32;
/** Between two lines that appear, and between two steps, in seconds. */
const LINE_PAUSE = 0.12;
const STEP_PAUSE = 0.9;

/** Plays the real demo, and returns what it prints; its directory goes by a name without the random part. */
export function recordDemo(): string {
  const run = spawnSync(process.execPath, [PROGRAM, 'demo'], { encoding: 'utf8', timeout: 120_000 });
  if (run.status !== 0) throw new Error(`the demo ended with ${run.status}:\n${run.stdout}${run.stderr}`);
  return run.stdout.replace(/\/\S*(syncpozo-demo)-\w+/g, '/tmp/$1');
}

/** The lines of the takeover in what the demo printed. Steps that are left out leave a line that says so. */
export function takeoverLines(recorded: string): string[] {
  const [beginning = '', ...steps] = recorded.trimEnd().split(/\n\n(?=\d+\. |As expected)/);
  const lines = ['$ npm run demo', beginning];
  let leftOut: string[] = [];
  const close = () => {
    const [first] = leftOut;
    if (first !== undefined) lines.push('', `[steps ${first} to ${leftOut.at(-1)}]`);
    leftOut = [];
  };
  for (const step of steps) {
    const number = /^(\d+)\. /.exec(step)?.[1];
    if (number === undefined || SHOWN_STEPS.some((shown) => shown.test(step))) {
      close();
      lines.push('', ...step.split('\n'));
    } else leftOut.push(number);
  }
  close();
  return lines.flatMap(wrap);
}

/** A terminal breaks a line that is too long for it; here the rest is indented, so that it reads as one line. */
function wrap(line: string): string[] {
  if (line.length <= COLUMNS) return [line];
  const at = line.lastIndexOf(' ', COLUMNS);
  return [line.slice(0, at), ...wrap(`          ${line.slice(at + 1)}`)];
}

/** An SVG of a terminal, in which the lines appear one after the other; without animation all of them are there. */
export function drawTerminal(lines: readonly string[]): string {
  const width = Math.ceil(COLUMNS * CHARACTER_WIDTH + 2 * MARGIN);
  const height = TITLE_BAR + lines.length * LINE_HEIGHT + MARGIN;
  let seconds = 0;
  const texts = lines.map((line, n) => {
    seconds += line === '' ? STEP_PAUSE : LINE_PAUSE;
    const y = TITLE_BAR + (n + 1) * LINE_HEIGHT;
    if (line === '') return '';
    const style = `animation-delay:${seconds.toFixed(2)}s`;
    return `<text class="${kindOf(line)}" x="${MARGIN}" y="${y}" style="${style}">${escapeXml(line)}</text>\n`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" xml:space="preserve" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="syncpozo demo: a takeover">
<style>
text { font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #c9d1d9; white-space: pre; animation: show 0.1s both }
.command { fill: #ffffff; font-weight: bold }
.step { fill: #79c0ff; font-weight: bold }
.ok { fill: #7ee787 }
.aside { fill: #8b949e }
@keyframes show { from { opacity: 0 } }
@media (prefers-reduced-motion: reduce) { text { animation: none } }
</style>
<rect width="${width}" height="${height}" rx="8" fill="#0d1117"/>
<circle cx="18" cy="16" r="5" fill="#ff5f56"/><circle cx="36" cy="16" r="5" fill="#ffbd2e"/><circle cx="54" cy="16" r="5" fill="#27c93f"/>
${texts.join('')}</svg>
`;
}

/** The lines that a picture shows, in their order. */
export function linesIn(svg: string): string[] {
  return [...svg.matchAll(/<text [^>]*>(.*)<\/text>/g)].map(([, text = '']) =>
    text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&'),
  );
}

function kindOf(line: string): string {
  if (line.startsWith('$ ')) return 'command';
  if (/^\d+\. /.test(line) || line.startsWith('As expected')) return 'step';
  if (line.trimStart().startsWith('ok: ')) return 'ok';
  return line.startsWith('[') || line.startsWith('Everything') ? 'aside' : 'found';
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
