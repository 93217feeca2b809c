import { availableParallelism } from 'node:os';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

/**
 * `node side-by-side.js FILE ...`: runs these test files in this order, one more at a time than there are cores, because some
 * mostly wait. `node --test` sorts them by name, and then waits for the longest one in the end.
 */
const files = process.argv.slice(2);
const concurrency = Math.min(4, availableParallelism() + 1);

run({ files, concurrency })
  .on('test:fail', () => {
    process.exitCode = 1;
  })
  .compose(new spec())
  .pipe(process.stdout);
