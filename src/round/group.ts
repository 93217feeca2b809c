import { formatTid } from '../filestorage/tid.js';
import { Exchanged } from '../pipeline/copy.js';
import type { MasterPlace } from '../pipeline/master-place.js';
import type { ReadDeadline } from '../pipeline/read-deadline.js';
import { type CommonMoment, findCommonMoment, type MasterToProbe } from './common-moment.js';
import { NotTogether } from './not-together.js';
import type { SyncResult } from './result.js';
import type { Member } from './run-sync.js';

/**
 * The storages of a group during one attempt to bring them to one moment.
 *
 * Invariants:
 *  - The moment is chosen when all storages have their locks. So nothing else advances a slave beyond it.
 *  - No storage shows anything new before all of them have everything up to the moment, durably. If one drops out before
 *    that, all are refused, and each slave stays what it was.
 *  - What happens after that no longer concerns the others.
 */
export class Group {
  private readonly probed = new Map<number, MasterToProbe>();
  /** Storages that have everything up to the moment, visible or not, and those whose runs have ended with it. */
  private readonly prepared = new Set<number>();
  private readonly ended = new Set<number>();
  private readonly moment = new Gate<CommonMoment>();
  private readonly go = new Gate<void>();
  private dropout: NotTogether | undefined;
  private chosen: CommonMoment | undefined;
  private wasExchanged = false;

  /** `isLastAttempt`: the group does not start over. */
  constructor(
    private readonly size: number,
    private readonly isLastAttempt: boolean,
  ) {}

  /** The attempt came to nothing because a master was exchanged meanwhile (by a pack, as a rule). */
  get startsOver(): boolean {
    return this.wasExchanged;
  }

  /** The moment, if all storages were brought to it. */
  get reached(): CommonMoment | undefined {
    return this.ended.size === this.size ? this.chosen : undefined;
  }

  member(index: number): Member {
    let deadline: ReadDeadline | undefined;
    const wait = <T>(gate: Gate<T>): Promise<T> =>
      // The gate opens or fails when the others are done. Only a signal ends the wait before that.
      deadline ? deadline.orGiveUp(gate.passed, AGES, () => {}) : gate.passed;
    return {
      place: async (path, ofMember) => {
        deadline = ofMember;
        this.probed.set(index, { path, deadline });
        if (this.probed.size === this.size) this.choose();
        return placeOf(await wait(this.moment), index);
      },
      ready: async (tid) => {
        if (tid !== placeOf(await wait(this.moment), index).tid) return false;
        this.prepare(index);
        await wait(this.go);
        return true;
      },
      startsOver: (error) => {
        if (error instanceof Exchanged && !this.isLastAttempt) this.wasExchanged = true;
        return this.wasExchanged && (error instanceof Exchanged || error === this.dropout);
      },
    };
  }

  /** A storage's run has ended. */
  settled(index: number, result: SyncResult): void {
    const { slave, action } = result;
    const place = this.chosen?.places[index];
    if (place && slave.lastTid === formatTid(place.tid)) {
      this.ended.add(index);
      this.prepare(index);
    } else this.drop(new NotTogether(refusal(result), HINT, action === 'off' || action === 'busy'));
  }

  private choose(): void {
    const masters = [...this.probed].sort(([a], [b]) => a - b).map(([, master]) => master);
    findCommonMoment(masters).then(
      (moment) => {
        this.chosen = moment;
        this.moment.open(moment);
      },
      (error) => this.moment.fail(error),
    );
  }

  private prepare(index: number): void {
    this.prepared.add(index);
    if (this.prepared.size === this.size) this.go.open();
  }

  private drop(why: NotTogether): void {
    this.dropout ??= why;
    this.moment.fail(this.dropout);
    this.go.fail(this.dropout);
  }
}

const AGES = 3_600_000;

const HINT =
  'the storages of a group are advanced together, or not at all; a sync without --together advances each by itself';

function refusal({ slave, action, reason }: SyncResult): string {
  const why = action === 'busy' ? 'another sync is at work on it' : reason;
  return `not advanced, because ${slave.path} of the same group cannot be brought to the same moment: ${why}`;
}

function placeOf({ places }: CommonMoment, index: number): MasterPlace {
  const place = places[index];
  if (!place) throw new RangeError(`a moment of ${places.length} storages has no storage ${index}`);
  return place;
}

/** Opens or fails once, for those who wait and for those who come later. */
class Gate<T> {
  open: (value: T) => void = () => {};
  fail: (error: unknown) => void = () => {};
  readonly passed = new Promise<T>((resolve, reject) => {
    this.open = resolve;
    this.fail = reject;
  });

  constructor() {
    // Nobody has to wait here.
    this.passed.catch(() => {});
  }
}
