import { it } from 'node:test';
import { drawnSeed } from '../support/seed.js';
import { campaignMinutes } from '../zodb/settings.js';
import { runWayback, sweepKills } from './run-wayback.js';

const seconds = String((campaignMinutes * 60) / 2);

it('random takeovers and ways back', async (t) => {
  t.diagnostic(
    await runWayback('--count', '100000', '--rounds', '4', '--new', '2000', '--seed', drawnSeed, '--seconds', seconds),
  );
});

it('random takeovers and ways back beside a busy ZEO server', async (t) => {
  t.diagnostic(await runWayback('--zeo', '--count', '100000', '--seed', drawnSeed, '--seconds', seconds));
});

it('a rejoin that is killed before each of its calls', async (t) => {
  t.diagnostic(await sweepKills('--seed', drawnSeed));
});
