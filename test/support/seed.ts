import { relative } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { inProject } from './root.js';

/**
 * Where the seeds of random tests come from. `npm test` gives the same result for the same sources, so its tests name their
 * seeds, which are changed by hand. Campaigns draw a new one each time. SYNCPOZO_SEED=N sets all of them, and
 * SYNCPOZO_SEED=random draws new ones for `npm test` too. A file whose seed is not the named one prints how to repeat it.
 */
const asked = process.env.SYNCPOZO_SEED;
const [part = '', kind] = relative(inProject('dist', 'test'), process.argv[1] ?? '').split('.');

export const isCampaign = kind === 'campaign';

/** For campaigns. */
export const drawnSeed = asked === undefined || asked === 'random' ? String(Date.now()) : asked;

/** For the tests of `npm test`: the seed that the file names. */
export function fixedSeed(named: number): string {
  return asked === undefined ? String(named) : drawnSeed;
}

if (isMainThread && (isCampaign || asked !== undefined)) {
  const again = `node dist/test/run.js ${isCampaign ? 'campaign' : 'all'} ${part}`;
  process.stdout.write(`seed ${drawnSeed} of ${part}; the same again: SYNCPOZO_SEED=${drawnSeed} ${again}\n`);
}
