import { after, before, describe, it } from 'node:test';
import { explain, keep } from './explain.js';
import { reasonToSkip } from './image.js';
import { Pair } from './pair.js';
import type { PairSettings } from './set-up.js';

type Run = (pair: Pair) => Promise<void>;

interface SceneSettings extends PairSettings {
  /** Why what these scenes need beyond the hosts cannot be had. */
  readonly skip?: string;
}

/**
 * The scenes of one pair of hosts, which is set up once. They run in their order; a scene that fails prints what was observed and both
 * hosts' journals, and ends the file's other scenes, because these go on from the state that it should have left.
 */
export function scenes(name: string, all: Readonly<Record<string, Run>>, settings: SceneSettings = {}): void {
  const skip = settings.skip ?? reasonToSkip();
  describe(name, { skip }, () => {
    let pair: Pair | undefined;
    let broken: string | undefined;
    before(async () => {
      pair = await Pair.start(name, settings);
    });
    after(async () => {
      if (pair === undefined) return;
      if (process.env['SYNCPOZO_KEEP'] !== undefined) await keep(pair, 'at the end');
      await pair.end();
    });
    for (const [title, run] of Object.entries(all))
      it(title, async (t) => {
        if (broken !== undefined || pair === undefined) {
          t.skip(`not run: after the failure of: ${broken ?? 'the set-up'}`);
          return;
        }
        try {
          pair.scene(title);
          await run(pair);
        } catch (error) {
          broken = title;
          await explain(pair, title);
          throw error;
        }
      });
  });
}
