import { SILENT } from '../../src/report/log.js';
import type { SyncOptions } from '../../src/round/run-sync.js';
import { runTogether } from '../../src/round/together.js';

/** One round of a group in a process of its own, which may be killed: one-round.js MEMBERS (JSON). Prints the results. */
const members = JSON.parse(process.argv[2] ?? '') as SyncOptions[];
process.stdout.write('begins\n');
const { results } = await runTogether(members, SILENT);
process.stdout.write(`${JSON.stringify(results)}\n`);
process.exitCode = Math.max(...results.map(({ exitCode }) => exitCode));
