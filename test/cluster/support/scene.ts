import { after, before, describe, it } from 'node:test';
import { explain, keep } from './explain.js';
import { reasonToSkip } from './image.js';
import { Pair } from './pair.js';
import type { PairSettings } from './set-up.js';

/** What scenes go on in; `explain` prints what a person needs who was not there. */
interface Stage {
  scene(title: string): void;
  end(): Promise<void>;
}

export interface Theatre<S extends Stage> {
  readonly skip: string | false;
  start(): Promise<S>;
  explain(stage: S, title: string): Promise<void>;
  keep(stage: S): Promise<unknown>;
}

type Scenes<S> = Readonly<Record<string, (stage: S) => Promise<void>>>;

interface SceneSettings extends PairSettings {
  /** Why what these scenes need beyond the hosts cannot be had. */
  readonly skip?: string;
}

/** The scenes of one pair of hosts, which is set up once. */
export function scenes(name: string, all: Scenes<Pair>, settings: SceneSettings = {}): void {
  const start = (): Promise<Pair> => Pair.start(name, settings);
  scenesOn(
    name,
    { skip: settings.skip ?? reasonToSkip(), start, explain, keep: (pair) => keep(pair, 'at the end') },
    all,
  );
}

/**
 * They run in their order; a scene that fails prints what was observed, and ends the file's other scenes, because these go on from the
 * state that it should have left.
 */
export function scenesOn<S extends Stage>(name: string, theatre: Theatre<S>, all: Scenes<S>): void {
  describe(name, { skip: theatre.skip }, () => {
    let stage: S | undefined;
    let broken: string | undefined;
    before(async () => {
      stage = await theatre.start();
    });
    after(async () => {
      if (stage === undefined) return;
      if (process.env['SYNCPOZO_KEEP'] !== undefined) await theatre.keep(stage);
      await stage.end();
    });
    for (const [title, run] of Object.entries(all))
      it(title, async (t) => {
        if (broken !== undefined || stage === undefined) {
          t.skip(`not run: after the failure of: ${broken ?? 'the set-up'}`);
          return;
        }
        try {
          stage.scene(title);
          await run(stage);
        } catch (error) {
          broken = title;
          await theatre.explain(stage, title);
          throw error;
        }
      });
  });
}
