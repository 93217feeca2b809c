import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CLUSTER_FOLDER } from './image.js';
import type { Network } from './network.js';

const SHOWN = 25;

/**
 * Calls `use`; when that fails, prints the end of each host's journal, and leaves all of it in `.cluster/journals`.
 *
 * @param title names the test
 */
export async function withJournals<T>(title: string, network: Network, use: () => T | Promise<T>): Promise<T> {
  try {
    return await use();
  } catch (error) {
    await keepJournals(title, network).catch((reason: unknown) => process.stderr.write(`no journals: ${reason}\n`));
    throw error;
  }
}

async function keepJournals(title: string, network: Network): Promise<void> {
  const folder = join(CLUSTER_FOLDER, 'journals');
  mkdirSync(folder, { recursive: true });
  for (const host of network.hosts) {
    const file = join(folder, `${title.replaceAll(/\W+/g, '-')}-${host.name}.log`);
    const lines = (await host.journal(100_000)).trimEnd();
    writeFileSync(file, `${lines}\n`);
    const end = lines.split('\n').slice(-SHOWN).join('\n');
    process.stderr.write(
      `${title}: ${host.name} is ${host.isUp ? 'up' : 'down'}; its journal is in ${file}:\n${end}\n`,
    );
  }
}
