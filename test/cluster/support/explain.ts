import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CLUSTER_FOLDER } from './image.js';
import type { Pair } from './pair.js';

const SHOWN = 60;
/** ZEO's clients retry loudly, and heartbeat complains of each pause of a busy machine. */
const NOISE = / python\[|Gmain_timeout|G_SIG_dispatch| debug: |ssh: connect to host/;

/** Keeps in `.cluster/journals` who served when, what the visitors noted, and both journals; returns the directory. */
export async function keep(pair: Pair, title: string): Promise<string> {
  const directory = join(CLUSTER_FOLDER, 'journals', `${pair.name} ${title} ${pair.began}`.replaceAll(/\W+/g, '-'));
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'timeline'), `${pair.observed.timeline(pair.began / 1000)}\n`);
  for (const name of readdirSync(pair.network.dir).filter((file) => file.endsWith('.jsonl')))
    copyFileSync(join(pair.network.dir, name), join(directory, name));
  for (const host of pair.network.hosts)
    writeFileSync(join(directory, `${host.name}.log`), await host.journal(100_000));
  return directory;
}

/** Prints what a person needs who was not there. */
export async function explain(pair: Pair, title: string): Promise<void> {
  const directory = await keep(pair, title);
  process.stdout.write(readFileSync(join(directory, 'timeline'), 'utf8'));
  for (const { name } of pair.network.hosts) {
    const file = join(directory, `${name}.log`);
    const lines = readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => !NOISE.test(line));
    process.stdout.write(`--- the journal of ${name}; all of it in ${file}\n${lines.slice(-SHOWN).join('\n')}\n`);
  }
}
