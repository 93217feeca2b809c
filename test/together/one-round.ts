import { SILENT } from '../../src/report/log.js';
import type { SyncOptions } from '../../src/round/run-sync.js';
import { runTogether } from '../../src/round/together.js';

/** One round of a group in a process of its own, to be killed: one-round.js MEMBERS (JSON). */
const members = JSON.parse(process.argv[2] ?? '') as SyncOptions[];
process.stdout.write('begins\n');
const { results } = await runTogether(members, SILENT);
process.exitCode = Math.max(...results.map(({ exitCode }) => exitCode));
