import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { syncpozo } from '../support/cli.js';
import { type Pair, withPair } from '../support/pair.js';
import { committed, pathsOf, type Scene, syncHere } from './scene.js';
import { injected, ONE_THREAD, traced } from './strace.js';
import { parseTrace } from './trace.js';

/** The run that noticed the lost write. */
export type Finder = 'the same run' | 'the next run' | 'a full scrub' | 'nobody had to';

/**
 * The fault model: one write reports success and has no effect. One run for each write of a scene to these files; after each,
 * the slave must equal the master again after the next run and a full scrub at the latest.
 */
export async function loseEachWrite(
  scene: Scene,
  labels: readonly string[],
  chosen: (when: number, of: number) => boolean = () => true,
): Promise<ReadonlyMap<Finder, number>> {
  const finders = new Map<Finder, number>();
  for (const label of labels) {
    const lengths = await lengthsOfWrites(scene, label);
    for (const [index, length] of lengths.entries()) {
      if (!chosen(index + 1, lengths.length)) continue;
      const finder = await loseOne(scene, label, index + 1, length);
      finders.set(finder, (finders.get(finder) ?? 0) + 1);
    }
  }
  return finders;
}

async function lengthsOfWrites(scene: Scene, label: string): Promise<number[]> {
  let lengths: number[] = [];
  await withPair(async (pair) => {
    await scene.prepare(pair);
    const log = join(pair.directory, 'trace');
    const path = pathsOf(pair).get(label) ?? '';
    const through = traced({ log, calls: ['pwrite64'], paths: [path] });
    const run = syncpozo(pair.syncArgs(...scene.args), { through, env: ONE_THREAD });
    assert.equal(run.exit, 0, run.all);
    lengths = parseTrace(readFileSync(log, 'utf8')).map(({ result }) => Number(result));
  });
  return lengths;
}

async function loseOne(scene: Scene, label: string, when: number, length: number): Promise<Finder> {
  let finder: Finder = 'nobody had to';
  await withPair(async (pair) => {
    await scene.prepare(pair);
    const log = join(pair.directory, 'trace');
    const path = pathsOf(pair).get(label) ?? '';
    const what = `retval=${length}`;
    const through = injected({ call: 'pwrite64', path, when, what }, { log, calls: ['pwrite64'] });
    const run = syncpozo(pair.syncArgs(...scene.args), { through, env: ONE_THREAD });
    const calls = parseTrace(readFileSync(log, 'utf8'));
    const about = `${scene.name}, write ${when} of the ${label} lost: ${run.all}`;
    assert.ok(
      calls.some((call) => call.injected),
      `the write was lost, ${about}`,
    );
    assert.ok(run.exit === 0 || run.exit === 1, about);
    const next = await syncHere(pair);
    assert.equal(next.exitCode, 0, `${next.reason}, ${about}`);
    const healed = isMaster(pair);
    const scrub = await syncHere(pair, false, undefined, 'full');
    assert.equal(scrub.exitCode, 0, `${scrub.reason}, ${about}`);
    assert.ok(isMaster(pair), `still wrong after a full scrub, ${about}`);
    const last = await syncHere(pair, false, undefined, 'full');
    assert.deepEqual([last.exitCode, last.action, last.scrubbed.bad], [0, 'none', 0], about);
    if (run.exit !== 0) finder = 'the same run';
    else if (!healed) finder = 'a full scrub';
    else if (next.action !== 'none' || next.scrubbed.bad > 0) finder = 'the next run';
  });
  return finder;
}

function isMaster(pair: Pair): boolean {
  return readFileSync(pair.slaveFile).equals(committed(pair.masterFile));
}

export function reportedBy(finders: ReadonlyMap<Finder, number>): string {
  return [...finders].map(([finder, count]) => `${finder}: ${count}`).join(', ');
}
