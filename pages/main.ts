import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bashCompletion } from './bash.js';
import { commandLine } from './command-line.js';
import { manPage } from './man-page.js';
import { zshCompletion } from './zsh.js';

/**
 * Writes the man page and the completions into dist, at build time: the program that is installed does not know of them, and does
 * not take longer to start.
 */
const project = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

const { version } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as { version: string };
const line = await commandLine(version);
write('man/syncpozo.1', manPage(line));
write('completion/syncpozo.bash', bashCompletion(line));
write('completion/_syncpozo', zshCompletion(line));

function write(path: string, text: string): void {
  const file = join(project, 'dist', path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}
