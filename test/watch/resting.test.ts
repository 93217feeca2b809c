import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Running, syncpozo } from '../support/cli.js';
import { heldByOther } from '../support/locks.js';
import { type Pair, withPair } from '../support/pair.js';
import { promoteArgs } from '../support/promotion.js';
import { Asked } from './asking.js';
import { untilInStep, watchArgs, watching } from './watching.js';

/** A watch in step, asked over HTTP. */
async function asking(pair: Pair, use: (asked: Asked, watch: Running) => Promise<void>): Promise<void> {
  const whenAsked = async (watch: Running): Promise<void> => {
    const asked = await Asked.of(watch);
    await asked.until('/readiness', 200);
    await use(asked, watch);
  };
  await watching(pair, whenAsked, { args: [...watchArgs(pair), '--listen', '127.0.0.1:0'] });
}

const flip = (pair: Pair, way: 'on' | 'off'): unknown => syncpozo([way, '--status-file', pair.statusFile]);

async function untilRoundIs(asked: Asked, action: string): Promise<void> {
  await asked.untilTrue(`a round is ${action}`, async () => ((await roundsOf(asked))[action] ?? 0) > 0);
}

async function roundsOf(asked: Asked): Promise<Record<string, number>> {
  return (await asked.json('/status.json')).storages.main.figures.rounds;
}

describe('a watch that rests', () => {
  it('is ready while the switch is off, and its slave gets old', () =>
    withPair((pair) =>
      asking(pair, async (asked) => {
        flip(pair, 'off');
        pair.commit('while it is off');
        await untilRoundIs(asked, 'off');
        await asked.until('/slave?lag=0.5', 503);
        const why = async (): Promise<string> => (await asked.json('/readiness')).storages.main.why;
        await asked.untilTrue('it is named', async () => (await why()) === 'the switch is off: nothing is synced');
        const { ok, storages } = await asked.json('/readiness');
        assert.deepEqual([ok, storages.main.state], [true, 'in-step']);
        assert.equal(await asked.statusOf('/promotable'), 503);
        flip(pair, 'on');
        await untilInStep(pair);
        await asked.until('/slave?lag=5', 200);
        await asked.until('/promotable', 200);
      }),
    ));

  it('is ready while another sync is at work on the slave', () =>
    withPair((pair) =>
      asking(pair, async (asked) => {
        await heldByOther(pair, 'syncpozo', async () => {
          pair.commit('while the other one has the lock');
          await untilRoundIs(asked, 'busy');
          // What was known before is a second old by then.
          await asked.until('/slave?lag=1', 503);
          assert.equal(await asked.statusOf('/readiness'), 200);
        });
        await untilInStep(pair);
        await asked.until('/slave?lag=5', 200);
      }),
    ));

  it('is ready beside a slave that was promoted, and names it the master', () =>
    withPair((pair) =>
      asking(pair, async (asked) => {
        assert.equal(await asked.statusOf('/master'), 503);
        const run = syncpozo(promoteArgs(pair));
        assert.equal(run.exit, 0, run.all);
        await asked.until('/master', 200);
        await asked.until('/slave', 503);
        assert.equal(await asked.statusOf('/readiness'), 200);
        flip(pair, 'on');
        pair.commit('on the old master');
        await untilRoundIs(asked, 'off');
        assert.equal(await asked.statusOf('/readiness'), 200);
        assert.equal(await asked.statusOf('/master'), 200);
      }),
    ));
});
