import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CLUSTER_FOLDER } from './image.js';
import type { Pair } from './pair.js';

const SHOWN = 60;
/** ZEO's clients retry loudly, and heartbeat complains of each pause of a busy machine. */
const NOISE = / python\[|Gmain_timeout|G_SIG_dispatch| debug: |ssh: connect to host/;

/** What a person needs who was not there: who served when, and both journals, which stay in `.cluster/journals`. */
export async function explain(pair: Pair, title: string): Promise<void> {
  const directory = join(CLUSTER_FOLDER, 'journals', `${pair.name} ${title} ${pair.began}`.replaceAll(/\W+/g, '-'));
  mkdirSync(directory, { recursive: true });
  const timeline = pair.observed.timeline(pair.began / 1000);
  writeFileSync(join(directory, 'timeline'), `${timeline}\n`);
  process.stdout.write(`${timeline}\n`);
  for (const host of pair.network.hosts) {
    const journal = await host.journal(100_000);
    writeFileSync(join(directory, `${host.name}.log`), journal);
    const lines = journal.split('\n').filter((line) => !NOISE.test(line));
    process.stdout.write(`--- the journal of ${host.name}; all of it in ${directory}\n`);
    process.stdout.write(`${lines.slice(-SHOWN).join('\n')}\n`);
  }
}
