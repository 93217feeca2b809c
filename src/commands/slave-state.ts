import type { SlaveState, Standing } from '../report/standing.js';
import type { OutcomeRecord, TroubleKind } from '../standby/outcome-file.js';
import type { FoundNow } from './probe-master.js';

/** A refusal in effect until the master is a continuation again or a person decides. */
export interface StandingRefusal {
  readonly kind: 'refused' | 'forked';
  /** Milliseconds since the epoch. */
  readonly since: number;
  readonly reason: string;
}

/** Everything that the state of a slave is derived from. undefined: not known, or none. */
export interface StateInput {
  readonly role: Standing['role'];
  /** Why the role is unknown. */
  readonly roleProblem: string | undefined;
  /**
   * Takes precedence over the last run's outcome: it is durable, and a later run may have failed for another reason.
   */
  readonly refusal: StandingRefusal | undefined;
  readonly outcome: OutcomeRecord | undefined;
  /** Wrong bytes of the slave that were reported, with no sync in step since. */
  readonly damage: { readonly time: string; readonly message: string } | undefined;
  readonly lockedBy: Standing['lockedBy'];
  readonly size: number | undefined;
  readonly claim: { readonly position: number } | undefined;
  /** Why there is no claim. */
  readonly problem: string | undefined;
  /** The current state of the master; undefined where no master was named. */
  readonly master: FoundNow | undefined;
}

export interface DerivedState {
  readonly state: SlaveState;
  /** Milliseconds since the epoch. */
  readonly since: number | undefined;
  readonly why: string | undefined;
}

/**
 * Derives a slave's state, in order of precedence: a person has to decide; the slave's bytes are wrong; the next run
 * may resolve it. A state found just now has no `since`, except where the last run found the same.
 */
export function deriveState(input: StateInput): DerivedState {
  const { refusal, outcome, claim, size, master } = input;
  if (input.role === 'promoted') return { state: 'promoted', since: undefined, why: undefined };
  if (input.roleProblem !== undefined) return { state: 'refused', since: undefined, why: input.roleProblem };
  if (input.role === 'rejoining') {
    return { state: 'refused', since: undefined, why: 'a rejoin has begun and has not ended: nothing is synced' };
  }
  if (input.role === 'superseded') {
    const why = 'another side has served in a higher term: this one must not be served, and is to be rejoined';
    return { state: 'refused', since: undefined, why };
  }
  if (refusal) return { state: refusal.kind, since: refusal.since, why: refusal.reason };
  const recorded = (...kinds: TroubleKind[]): DerivedState | undefined =>
    outcome?.trouble && kinds.includes(outcome.trouble.kind)
      ? { state: outcome.trouble.kind, since: outcome.trouble.since, why: outcome.reason }
      : undefined;
  const now = (state: SlaveState, why?: string): DerivedState => ({ state, since: undefined, why });
  const lasting = recorded('refused', 'forked', 'damaged');
  if (lasting) return lasting;
  const { damage } = input;
  if (damage) return { state: 'damaged', since: Date.parse(damage.time), why: damage.message };
  if (master?.kind === 'forked' || master?.kind === 'damaged') return now(master.kind, master.why);
  if (input.lockedBy === 'another program') return recorded('in-use') ?? now('in-use', 'another program has it open');
  if (claim && (size ?? 0) < claim.position)
    return now('cut-short', `it has ${size ?? 0} bytes, ${claim.position} are claimed`);
  const passing = recorded('in-use', 'out-of-reach', 'fault');
  if (passing) return passing;
  if (!claim) {
    const never = outcome?.inStep === undefined && size === undefined;
    return now(never ? 'never-synced' : 'unknown', input.problem);
  }
  if (master && 'why' in master) return now(master.kind, master.why);
  return now(master && master.transactions !== 0 ? 'behind' : 'in-step');
}
