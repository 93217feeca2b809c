import type { Case } from './case.js';
import type { Change } from './change.js';
import { transactionEdges } from './edges.js';
import { type Bad, enumerate, type Mutation } from './enumerate.js';
import type { Judge } from './judge.js';
import { type Disk, ModelDisk } from './model-disk.js';
import { statesOf, VariantCache } from './states.js';

/**
 * A mutant is a record with a change left out or reordered: the run as it would be if the code lacked that call. The run's
 * decisions do not depend on it: a sync call changes nothing that a live process sees.
 */
export interface Mutant {
  readonly name: string;
  /** Undefined if the record has no place for it. */
  mutate(changes: readonly Change[]): Mutation | undefined;
}

/** The call at this place does nothing. */
export function without(site: string): Mutant {
  return {
    name: `without ${site}`,
    mutate(changes) {
      const lost = new Set<number>();
      for (const [index, change] of changes.entries()) {
        if ((change.kind === 'sync' || change.kind === 'sync-directory') && change.site === site) lost.add(index);
      }
      return lost.size > 0 ? { lost, order: changes.map((_, index) => index) } : undefined;
    },
  };
}

/** Swaps the effects of one function and of the publication right after it. */
export function publishBefore(name: string, publisher = 'publishDat'): Mutant {
  return {
    name: `published before ${name}`,
    mutate(changes) {
      const order: number[] = [];
      let exchanged = false;
      for (let at = 0; at < changes.length; ) {
        const first = endOf(changes, at, name);
        const second = endOf(changes, first, publisher);
        if (first > at && second > first) {
          order.push(...range(first, second), ...range(at, first));
          exchanged = true;
          at = second;
        } else order.push(at++);
      }
      return exchanged ? { lost: new Set(), order } : undefined;
    },
  };
}

function endOf(changes: readonly Change[], from: number, name: string): number {
  let end = from;
  while (changes[end]?.within.includes(name)) end++;
  return end;
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

/**
 * The mutant's first state that breaks an invariant; undefined if the mutant survives. The states of the unchanged record
 * are known to be good.
 */
export async function findKiller(mutant: Mutant, of: Case, judge: Judge, good: GoodStates): Promise<Bad | undefined> {
  const mutation = mutant.mutate(of.changes);
  if (!mutation) return undefined;
  const plain = await enumerate(of, judge, { mutation, judged: new Set(), inModelOnly: true, stopAtFirst: true });
  if (plain.bad[0]) return plain.bad[0];
  const { bad } = await enumerate(of, judge, { mutation, judged: good.of(of), stopAtFirst: true });
  return bad[0];
}

/** The states of unchanged records: those of a scenario are known together, because the next sync depends on the state only. */
export class GoodStates {
  private readonly known = new WeakMap<Disk, { readonly keys: Set<string>; readonly records: WeakSet<Case> }>();

  /** A set of its own: the states of a mutant are not good. */
  of(record: Case): Set<string> {
    const known = this.known.get(record.start) ?? { keys: new Set(), records: new WeakSet() };
    this.known.set(record.start, known);
    if (!known.records.has(record)) addKeysOf(record, known.keys);
    known.records.add(record);
    return new Set(known.keys);
  }
}

function addKeysOf(of: Case, keys: Set<string>): void {
  const disk = new ModelDisk(of.start);
  const variants = new VariantCache();
  const edges = transactionEdges(of.generations.at(-1) ?? new Uint8Array());
  for (const change of of.changes) {
    disk.apply(change);
    for (const { key } of statesOf(disk, edges, variants)) keys.add(key);
  }
}
