import { Random } from '../support/random.js';
import { drawnSeed } from '../support/seed.js';
import { account, assertNobodyServedAgainstItsRole } from './support/aftermath.js';
import { serving, takenOver, wayBack } from './support/course.js';
import type { Host } from './support/host.js';
import type { Pair } from './support/pair.js';
import type { Request } from './support/requests.js';
import { assertSameBytes } from './support/same-bytes.js';
import { scenes } from './support/scene.js';

/** Takeovers and ways back in a row, at random; after each of them everything that was ever acknowledged is looked for. */
const ROUNDS = Number(process.env['SYNCPOZO_ROUNDS'] ?? 20);

const WAYS: Readonly<Record<string, (pair: Pair, host: Host) => Promise<void>>> = {
  'its power is cut': async (pair, host) => void (await pair.cutPower(host)),
  'all its processes are killed': (_, host) => host.kill(),
  'its cables are pulled': async (_, host) => host.cut(),
  'a switchover': async (_, host) => void (await host.ok('/usr/local/lib/syncpozo/switchover', { timeoutMs: 120_000 })),
};

scenes('rounds', {
  [`${ROUNDS} takeovers and ways back at random`]: async (pair) => {
    const random = new Random(Number(drawnSeed));
    const all: Request[] = [];
    for (let round = 1; round <= ROUNDS; round++) {
      const from = serving(pair);
      const way = random.pick(Object.keys(WAYS));
      pair.say(`--- round ${round}: ${from.name}: ${way}`);
      const { began, requests } = await takenOver(pair, (host) => WAYS[way]!(pair, host));
      all.push(...requests);
      if (!from.isUp) await pair.boot(from);
      from.heal();
      await wayBack(pair, from);
      account(pair, pair.other(from), all);
      await assertSameBytes(pair, pair.other(from), from);
      assertNobodyServedAgainstItsRole(pair, began);
    }
  },
});
