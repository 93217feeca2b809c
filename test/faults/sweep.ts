import { type Ending, runWithFault } from './inject.js';
import { ERRORS, type Point, pointsOf } from './points.js';
import type { Scene } from './scene.js';

const KILL = 'signal=SIGKILL';
const SHOWN = 5;

/** What a sweep over one scene has come to. */
export interface Swept {
  readonly injections: number;
  readonly endings: ReadonlyMap<Ending, number>;
  readonly wrong: readonly string[];
}

export interface Manner {
  readonly chosen: (point: Point) => boolean;
  /** Every error that a call can give, or one of them, each in its turn. */
  readonly everyError: boolean;
  readonly kill: boolean;
}

/** Puts every chosen fault into a scene's run, one a run. */
export async function sweep(scene: Scene, manner: Manner): Promise<Swept> {
  const endings = new Map<Ending, number>();
  const wrong: string[] = [];
  let injections = 0;
  const points = (await pointsOf(scene)).filter(manner.chosen);
  for (const [index, point] of points.entries()) {
    for (const what of manner.kill ? [KILL] : errorsOf(point, index, manner)) {
      injections++;
      try {
        const ending = await runWithFault(scene, point, what);
        endings.set(ending, (endings.get(ending) ?? 0) + 1);
      } catch (error) {
        const text = error instanceof Error ? error.message : String(error);
        wrong.push(
          `${scene.name}: ${what} at ${point.call} ${point.when} of ${point.of} of the ${point.label}: ${text}`,
        );
      }
    }
  }
  return { injections, endings, wrong };
}

function errorsOf({ call }: Point, index: number, { everyError }: Manner): string[] {
  const errors = (ERRORS[call] ?? []).map((code) => `error=${code}`);
  return everyError ? errors : errors.slice(index % errors.length, (index % errors.length) + 1);
}

export function told({ injections, endings, wrong }: Swept): string {
  const kinds = [...endings].map(([ending, count]) => `${count} ${ending}`).sort();
  return `${injections} faults: ${[...kinds, `${wrong.length} wrong`].join(', ')}`;
}

export function complaint({ wrong }: Swept): string {
  const more = wrong.length > SHOWN ? [`and ${wrong.length - SHOWN} more:`, ...wrong.slice(SHOWN).map(firstLine)] : [];
  return [`${wrong.length} faults were not met as they have to be`, ...wrong.slice(0, SHOWN), ...more].join('\n');
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? '';
}
