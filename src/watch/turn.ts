import { milliseconds } from '../io/clock.js';

/** A check or a round that takes longer leaves it open whether the slave is still in step. */
const LONG_MS = 10_000;

/** What the slave lacks; `seconds`: the age of the oldest transaction, null: not known. */
export interface Lack {
  readonly seconds: number | null;
}

/** The check or the round that is under way: what it says against the result of the last one. */
export class Turn {
  private began: number | undefined;
  private behindSince: number | undefined;

  /** `clock` only goes forward, in milliseconds. */
  constructor(private readonly clock: () => number = milliseconds) {}

  begin(): void {
    this.began = this.clock();
  }

  /** It has found a transaction of this time that the slave lacks, in milliseconds since the epoch. */
  isBehind(since: number): void {
    this.behindSince = since;
  }

  end(): void {
    this.began = undefined;
    this.behindSince = undefined;
  }

  get isLong(): boolean {
    return this.began !== undefined && this.clock() - this.began > LONG_MS;
  }

  /** undefined: nothing contradicts the last result. */
  get lack(): Lack | undefined {
    if (this.behindSince !== undefined) return { seconds: Math.max(0, Date.now() - this.behindSince) / 1000 };
    return this.isLong ? { seconds: null } : undefined;
  }
}
