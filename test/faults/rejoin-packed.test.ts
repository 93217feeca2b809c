import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Running, syncpozo } from '../support/cli.js';
import { eventually } from '../support/eventually.js';
import { type Pair, withPair } from '../support/pair.js';
import { promote } from '../support/promotion.js';
import { Site } from '../support/site.js';
import { injected, needsStrace, ONE_THREAD } from './strace.js';

const LOST = 'only the old master has this';

/** The pair's slave serves; its master has a transaction that the other lacks. */
function takenOver(pair: Pair): void {
  pair.commit('an old state', 'of two pages');
  pair.synced();
  promote(pair);
  pair.commit(LOST);
  pair.site.close();
  pair.commitToSlave('served');
}

function pack(pair: Pair): void {
  const serving = Site.open(pair.slaveFile, { clock: pair.clock });
  assert.ok(serving.pack(), 'the pack has freed something');
  serving.close();
  pair.commitToSlave('after the pack');
}

function argsOf(pair: Pair): string[] {
  return ['rejoin', pair.slave, pair.master, '--yes', '--json', '--status-file', pair.statusFile, '--workers', '0'];
}

/** A prefix for a rejoin whose first write to the file of the old master gets this fault. */
function atFirstWrite(pair: Pair, what: string): string[] {
  const log = join(pair.directory, 'trace');
  return injected({ call: 'pwrite64', path: pair.masterFile, when: 1, what }, { log, calls: ['pwrite64'] });
}

function assertKept(pair: Pair): void {
  const thin = readdirSync(pair.master).filter((name) => /^lost-.*\.fs$/.test(name));
  assert.equal(thin.length, 1, 'what was lost is kept once');
  assert.ok(readFileSync(join(pair.master, thin[0] ?? '')).includes(LOST));
}

function phaseOf(pair: Pair): string | undefined {
  const path = `${pair.masterFile}.role`;
  if (!readdirSync(pair.master).includes('Data.fs.role')) return undefined;
  return /^rejoin .*(begun|rewound)/m.exec(readFileSync(path, 'utf8'))?.[1];
}

/** Refused with the cost, and done with --full. */
function assertOnlyInFull(pair: Pair): void {
  const before = readFileSync(pair.masterFile);
  const refused = syncpozo(argsOf(pair));
  assert.deepEqual([refused.exit, refused.json.action], [3, 'refused'], refused.all);
  assert.match(refused.json.hint, /--full/);
  const said = `${refused.json.reason} ${refused.json.hint}`;
  assert.ok(said.includes(String(statSync(pair.slaveFile).size)), `the cost is named: ${said}`);
  assert.ok(readFileSync(pair.masterFile).equals(before));
  assertKept(pair);
  const full = syncpozo([...argsOf(pair), '--full']);
  assert.deepEqual([full.exit, full.json.action], [0, 'full'], full.all);
}

describe('a pack of the side that serves', { skip: needsStrace ?? false }, () => {
  it('between two runs of a rejoin', () =>
    withPair((pair) => {
      takenOver(pair);
      const failed = syncpozo(argsOf(pair), { through: atFirstWrite(pair, 'error=ENOSPC'), env: ONE_THREAD });
      assert.deepEqual([failed.exit, phaseOf(pair)], [1, 'rewound'], failed.all);
      pack(pair);
      assertOnlyInFull(pair);
      pair.assertInStep();
      assert.equal(/^role slave$/m.test(readFileSync(`${pair.masterFile}.role`, 'utf8')), true);
      assertKept(pair);
    }));

  it('in the middle of a rejoin', () =>
    withPair(async (pair) => {
      takenOver(pair);
      const running = Running.start(argsOf(pair), { through: atFirstWrite(pair, 'delay_enter=3s'), env: ONE_THREAD });
      await eventually('it copies', () => phaseOf(pair) === 'rewound');
      pack(pair);
      const run = await running.end();
      assert.ok([0, 1, 3].includes(run.exit ?? -1), run.all);
      assertKept(pair);
      if (run.exit === 0) {
        // It had the old file to its end. The pack is for the next sync.
        const sides = [pair.slave, pair.master, '--status-file', pair.statusFile, '--json'];
        const synced = syncpozo(['sync', ...sides]);
        assert.equal(synced.exit, 0, synced.all);
      } else assertOnlyInFull(pair);
      pair.assertInStep();
      assertKept(pair);
    }));
});
