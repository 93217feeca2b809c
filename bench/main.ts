import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseOptions, Usage } from './options.js';
import { plot } from './plot.js';
import { Interrupted, WrongResult } from './race.js';
import { type Results, renderResults, targetTable } from './results.js';
import type { Row } from './row.js';
import { append } from './rows/append.js';
import { blobs } from './rows/blobs.js';
import { buildIndex } from './rows/build-index.js';
import { firstBlobs } from './rows/first-blobs.js';
import { fullCopy } from './rows/full-copy.js';
import { manyObjects } from './rows/many-objects.js';
import { network } from './rows/network.js';
import { nothingNew } from './rows/nothing-new.js';
import { promote } from './rows/promote.js';
import { rebuild } from './rows/rebuild.js';
import { verify } from './rows/verify.js';
import { measureAll } from './suite.js';

/** The order at each size: append grows the master, so it comes last. */
const ROWS: readonly Row[] = [
  fullCopy,
  rebuild,
  verify,
  buildIndex,
  manyObjects,
  promote,
  nothingNew,
  blobs,
  firstBlobs,
  append,
  network,
];

/** Runs the benchmarks: see `node dist/bench/main.js --help`. */
process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  try {
    const options = parseOptions(args, ROWS);
    const { output } = options;
    const stop = new AbortController();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => stop.abort(new Interrupted('interrupted')));
    }
    const keep = (soFar: Results): void => {
      if (output !== undefined) write(soFar, output);
    };
    const results = await measureAll(options, keep, stop.signal);
    process.stdout.write(output === undefined ? renderResults(results) : `${targetTable(results)}\n`);
    for (const text of results.failed) process.stderr.write(`${text}\n`);
    return results.failed.length === 0 ? 0 : 1;
  } catch (error) {
    if (!(error instanceof Usage || error instanceof WrongResult || error instanceof Interrupted)) throw error;
    process.stderr.write(`${error.message}\n`);
    return error instanceof Usage ? 2 : 1;
  }
}

function write(results: Results, directory: string): void {
  writeFileSync(join(directory, 'RESULTS.md'), renderResults(results));
  writeFileSync(join(directory, 'results.svg'), plot(results.measurements));
}
