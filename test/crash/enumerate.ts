import { imageAt } from './beside.js';
import type { Case } from './case.js';
import { transactionEdges } from './edges.js';
import { DATA, historyOf } from './history.js';
import { inModelProblem, mayShow } from './in-model.js';
import { type Judge, openingProblem } from './judge.js';
import { ModelDisk } from './model-disk.js';
import { type State, statesOf, VariantCache } from './states.js';
import { shownIn } from './visible.js';

/** A state that breaks an invariant, and its place in the record. */
export interface Bad {
  readonly case: string;
  /** The last change before the crash; -1 for none. */
  readonly point: number;
  readonly problem: string;
  readonly disk: string;
}

/** Which changes are left out or reordered; see mutants.ts. The numbers are those of the record's changes. */
export interface Mutation {
  readonly lost: ReadonlySet<number>;
  readonly order: readonly number[];
}

export interface Judged {
  readonly points: number;
  readonly bad: readonly Bad[];
}

export interface Manner {
  readonly mutation?: Mutation;
  /** Keys of the states from which the next sync has been judged; this record adds its own. */
  readonly judged: Set<string>;
  /** From which states the next sync is judged as well; default: from each. */
  readonly isSynced?: (state: State) => boolean;
  /** Receives each state from which the next sync has been judged, and what that sync did. */
  readonly onState?: (state: State, recovery: string) => void;
  /** Judge by the model alone, without FileStorage and the next sync. */
  readonly inModelOnly?: boolean;
  readonly stopAtFirst?: boolean;
}

/** Judges every state of every crash point of a record. */
export async function enumerate(of: Case, judge: Judge, manner: Manner): Promise<Judged> {
  const history = historyOf(of.start, of.changes);
  const edges = transactionEdges(of.generations.at(-1) ?? new Uint8Array());
  const order = manner.mutation?.order ?? of.changes.map((_, index) => index);
  const made = new Set<number>();
  const disk = new ModelDisk(of.start);
  const variants = new VariantCache();
  const checked = new Set<string>();
  const bad: Bad[] = [];
  const openings: Promise<void>[] = [];
  let points = 0;
  for (let point = -1; point < order.length; point++) {
    const index = order[point];
    const change = index === undefined ? undefined : of.changes[index];
    if (index !== undefined && change) {
      disk.apply(manner.mutation?.lost.has(index) ? { ...change, lost: true } : change);
      made.add(index);
    }
    if (point < of.from - 1) continue;
    points++;
    const isMade = (number: number): boolean => made.has(number);
    const stage = [
      ...history.publications.map((each) => Number(isMade(each.renamedAt)) + Number(isMade(each.returnedAt))),
      ...history.indexes.map((each) => Number(isMade(each.at)) + Number(isMade(each.returnedAt))),
      ...history.roles.map((each) => Number(isMade(each.at)) + Number(isMade(each.returnedAt))),
      Number(of.reportsRepairs && isMade(of.changes.length - 1)),
    ];
    for (const state of statesOf(disk, edges, variants)) {
      const seen = `${state.key} ${stage.join('')}`;
      if (checked.has(seen)) continue;
      checked.add(seen);
      const report = (problem: string | undefined): void => {
        if (problem !== undefined) bad.push({ case: of.name, point, problem, disk: describe(state) });
      };
      report(inModelProblem(of, history, isMade, state));
      if (!manner.inModelOnly) {
        const shown = mayShow(of, history, isMade, state);
        const ends = of.blobs && shownIn(imageAt(state, DATA)?.bytes ?? new Uint8Array()).end;
        const opening = judge.opening(state);
        if (opening) openings.push(opening.then((found) => report(openingProblem(found, state, shown, ends))));
        if (!manner.judged.has(state.key) && (manner.isSynced?.(state) ?? true)) {
          manner.judged.add(state.key);
          const { problem, did } = await judge.recover(of, state);
          report(problem);
          manner.onState?.(state, did);
        }
      }
      if (bad.length > 0 && manner.stopAtFirst) break;
    }
    if (bad.length > 0 && manner.stopAtFirst) break;
  }
  judge.openings.flush();
  await Promise.all(openings);
  return { points, bad };
}

function describe({ names, images }: State): string {
  const files = [...names].map(([name, file]) => `${name} (file ${file}, ${images.get(file)?.bytes.length} bytes)`);
  return files.sort().join(', ') || 'an empty directory';
}
