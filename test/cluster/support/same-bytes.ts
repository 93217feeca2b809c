import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { inProject } from '../../support/root.js';
import { python } from '../../support/venv.js';
import type { Host } from './host.js';
import type { Pair } from './pair.js';

/** See same_bytes.py. */
interface Difference {
  readonly different: readonly string[];
  readonly aborted: readonly string[];
}

/** What the instances of two hosts, of which these are the directories, do not have in common. */
export function difference(serving: string, slave: string): Difference {
  const program = inProject('test', 'cluster', 'support', 'same_bytes.py');
  const done = spawnSync(python(), [program, serving, slave], { encoding: 'utf8', maxBuffer: 1 << 28 });
  // A file that goes while it is read: the slave is being changed.
  if (done.status !== 0) return { different: [done.stderr.slice(-1000)], aborted: [] };
  return JSON.parse(done.stdout) as Difference;
}

/** The slave becomes what the serving side is, byte for byte, once nobody writes any more. */
export async function assertSameBytes(pair: Pair, serving: Host, slave: Host): Promise<void> {
  const until = Date.now() + 30_000;
  let found = difference(pair.zeoOf(serving), pair.zeoOf(slave));
  while (found.different.length > 0) {
    assert.ok(
      Date.now() < until,
      `${slave.name} does not become what ${serving.name} is: ${found.different.join('\n')}`,
    );
    await sleep(500);
    found = difference(pair.zeoOf(serving), pair.zeoOf(slave));
  }
  const left =
    found.aborted.length === 0 ? '' : `; blobs of transactions that were cut off: ${found.aborted.join(', ')}`;
  pair.say(`${slave.name} has the bytes of ${serving.name}, blobs too${left}`);
}
