import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, renameSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Lock } from '../../src/standby/lock.js';
import { slavePaths } from '../../src/standby/paths.js';
import { withBlobPair } from '../support/blob-pair.js';
import { syncpozo } from '../support/cli.js';
import { type Pair, withPair } from '../support/pair.js';
import { untilInStep, watchArgs, watching } from './watching.js';

type Ask = (check: string) => Promise<{ readonly status: number; readonly why: string; readonly state: string }>;

/** The health checks of a watch that runs. */
async function watched(pair: Pair, args: readonly string[], use: (ask: Ask) => Promise<void>): Promise<void> {
  const port = await freePort();
  await watching(
    pair,
    async () => {
      await untilInStep(pair);
      await use(async (check) => {
        const answer = await fetch(`http://127.0.0.1:${port}/${check}`);
        const { storages } = (await answer.json()) as { storages: { main: { why: string; state: string } } };
        return { status: answer.status, ...storages.main };
      });
    },
    { args: [...watchArgs(pair), ...args, '--listen', `127.0.0.1:${port}`] },
  );
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Asks until the answer is as expected; an answer may be a second old. */
async function becomes(ask: Ask, check: string, status: number, state: string): Promise<void> {
  let last: unknown;
  for (let n = 0; n < 200; n++) {
    const answer = await ask(check);
    if (answer.status === status && answer.state === state) return;
    last = answer;
    await sleep(50);
  }
  assert.fail(`${check}: ${JSON.stringify(last)}`);
}

/** Longer than a round and the age of an answer. */
const A_WHILE_MS = 2500;

describe('the health checks of a watch', () => {
  it('are those of a slave at rest while the switch is off', () =>
    withPair((pair) =>
      watched(pair, [], async (ask) => {
        await becomes(ask, 'readiness', 200, 'in-step');
        syncpozo(['off', '--status-file', pair.statusFile]);
        await sleep(A_WHILE_MS);
        assert.match((await ask('readiness')).why, /the switch is off/);
        assert.deepEqual(
          await Promise.all(['readiness', 'slave', 'promotable'].map(async (check) => (await ask(check)).status)),
          [200, 200, 503],
        );
      }),
    ));

  it('do not change while another sync is at work', () =>
    withPair((pair) =>
      watched(pair, [], async (ask) => {
        await becomes(ask, 'promotable', 200, 'in-step');
        const paths = slavePaths(pair.slave, undefined);
        const held = Lock.take(paths.lock, paths.directoryFacts);
        assert.ok(held.kind === 'held');
        try {
          pair.commit('while it is at work');
          await sleep(A_WHILE_MS);
          for (const check of ['readiness', 'slave', 'promotable']) assert.equal((await ask(check)).status, 200, check);
        } finally {
          held.lock.release();
        }
      }),
    ));

  it('know that the blob directory is gone, also where the master is', () =>
    withBlobPair(async (pair) => {
      pair.commitBlobs('a picture');
      await watched(pair, ['--blobs', `${pair.masterBlobs}:${pair.slaveBlobs}`], async (ask) => {
        await becomes(ask, 'promotable', 200, 'in-step');
        pair.site.close();
        renameSync(pair.master, `${pair.master}.away`);
        await becomes(ask, 'promotable', 200, 'out-of-reach');
        renameSync(pair.slaveBlobs, `${pair.slaveBlobs}.away`);
        await becomes(ask, 'promotable', 503, 'out-of-reach');
        assert.match((await ask('slave')).why, /blob directory \S+ does not exist/);
        mkdirSync(pair.slaveBlobs);
        await sleep(A_WHILE_MS);
        assert.match((await ask('promotable')).why, /has no blob; is its disk mounted\?/);
      });
    }));
});
