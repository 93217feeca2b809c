import { availableParallelism } from 'node:os';
import { relative } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { inProject } from './support/root.js';

/**
 * `node side-by-side.js FILE ...`: runs these test files in this order, two more at a time than there are cores, because many
 * mostly wait. `node --test` sorts them by name, and then waits for the longest one in the end. Prints which took longest:
 * LONGEST in run.ts follows that.
 */
const files = process.argv.slice(2);
const concurrency = Math.min(4, availableParallelism() + 2);
const SHOWN = 15;
const seconds = new Map<string, number>();

function count({ file, nesting, details }: { file?: string; nesting: number; details: { duration_ms: number } }): void {
  if (file !== undefined && nesting === 0) seconds.set(file, (seconds.get(file) ?? 0) + details.duration_ms / 1000);
}

process.on('exit', () => {
  if (seconds.size <= SHOWN) return;
  const longest = [...seconds].sort(([, one], [, other]) => other - one).slice(0, SHOWN);
  const lines = longest.map(
    ([file, taken]) => `${String(Math.round(taken)).padStart(5)} s  ${relative(inProject('test'), file)}\n`,
  );
  process.stdout.write(`the files that took longest:\n${lines.join('')}`);
});

run({ files, concurrency })
  .on('test:pass', count)
  .on('test:fail', count)
  .on('test:fail', () => {
    process.exitCode = 1;
  })
  .compose(new spec())
  .pipe(process.stdout);
