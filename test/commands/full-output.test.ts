import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { assertNoCrash, type RunOptions, syncpozo } from '../support/cli.js';
import { type Pair, withPair } from '../support/pair.js';
import { needsMounts, withMounts } from '../support/powers.js';

const INTO_DEV_FULL: RunOptions = { through: ['sh', '-c', 'exec "$@" >/dev/full', 'sh'] };

/** Commands that print, and the work that each must have done despite the error. */
const COMMANDS: readonly (readonly [string, (pair: Pair) => string[]])[] = [
  ['log', (pair) => ['log', pair.masterFile]],
  ['status', (pair) => ['status', pair.slave, '--status-file', pair.statusFile]],
  ['verify', (pair) => ['verify', pair.slave]],
  ['sync --json', (pair) => pair.syncArgs()],
];

function assertReportsIt(run: ReturnType<typeof syncpozo>): void {
  assertNoCrash(run);
  assert.equal(run.exit, 1, run.all);
  const [message, hint] = run.stderr.trimEnd().split('\n').slice(-2);
  assert.equal(message, 'syncpozo: write to standard output: no space left on device (ENOSPC)');
  assert.match(hint ?? '', /^hint: only the output is incomplete: .*no Data\.fs is concerned/);
  assert.doesNotMatch(run.stderr, /claimed|next run/);
}

describe('a full standard output is an error with its own hint', () => {
  for (const [name, args] of COMMANDS)
    it(name, () =>
      withPair((pair) => {
        pair.synced();
        pair.commit('more');
        assertReportsIt(syncpozo(args(pair), INTO_DEV_FULL));
        if (name === 'sync --json') pair.assertInStep();
      }),
    );

  it('a file on a full disk', { skip: needsMounts ?? false }, () =>
    withPair((pair) => {
      for (let n = 0; n < 100; n++) pair.commit(`${n}`);
      const out = join(pair.directory, 'slave', 'out');
      const mounts = `mount -t tmpfs -o size=4k none ${pair.slave}\nexec >${out}`;
      assertReportsIt(syncpozo(['log', pair.masterFile, '-n', '1000'], { through: withMounts(mounts) }));
    }),
  );
});
