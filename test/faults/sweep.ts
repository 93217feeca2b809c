import type { BlobScene } from './blob-scenes.js';
import { type Ending, runWithFault } from './inject.js';
import { ERRORS, type Point, pointsOf } from './points.js';

const KILL = 'signal=SIGKILL';
const SHOWN = 5;
/** flock(1) makes this call, so the signal would kill it instead. */
const OF_A_CHILD = 'flock';

/** The result of a sweep over one scene. */
export interface Swept {
  readonly injections: number;
  readonly endings: ReadonlyMap<Ending, number>;
  readonly wrong: readonly string[];
  /** Faults despite which a run brought the slave in step. */
  readonly notable: readonly string[];
}

export interface Manner {
  readonly chosen: (point: Point) => boolean;
  /** Every error of a call, or one of them in turn. */
  readonly everyError: boolean;
  readonly kill: boolean;
}

/** What is read ahead depends on how slow the reads are, and so does their number. */
function mayBeLeftOut({ call, when, of }: Point): boolean {
  return call === 'pread64' && when === of;
}

/** Injects every chosen fault into a scene's run, one fault per run. */
export async function sweep(scene: BlobScene, manner: Manner): Promise<Swept> {
  const endings = new Map<Ending, number>();
  const wrong: string[] = [];
  const notable: string[] = [];
  let injections = 0;
  const points = (await pointsOf(scene))
    .filter(manner.chosen)
    .filter(({ call }) => !manner.kill || call !== OF_A_CHILD);
  for (const [index, point] of points.entries()) {
    for (const what of manner.kill ? [KILL] : errorsOf(point, index, manner)) {
      injections++;
      try {
        let ending = await runWithFault(scene, point, what);
        for (let more = 0; more < 2 && ending === 'not met' && mayBeLeftOut(point); more++)
          ending = await runWithFault(scene, point, what);
        endings.set(ending, (endings.get(ending) ?? 0) + 1);
        if (ending === 'recovered') notable.push(`recovered: ${describe(scene, point, what)}`);
        if (ending === 'not met' && !mayBeLeftOut(point))
          wrong.push(`${describe(scene, point, what)}: the run has not made this call`);
      } catch (error) {
        const text = error instanceof Error ? error.message : String(error);
        wrong.push(`${describe(scene, point, what)}: ${text}`);
      }
    }
  }
  return { injections, endings, wrong, notable };
}

function errorsOf({ call }: Point, index: number, { everyError }: Manner): string[] {
  const errors = (ERRORS[call] ?? []).map((code) => `error=${code}`);
  return everyError ? errors : errors.slice(index % errors.length, (index % errors.length) + 1);
}

function describe(scene: BlobScene, { call, when, of, label }: Point, what: string): string {
  return `${scene.name}: ${what} at ${call} ${when} of ${of} of the ${label}`;
}

export function summary({ injections, endings, wrong }: Swept): string {
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
