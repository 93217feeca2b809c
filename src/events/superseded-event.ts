import { makeEvent, type SlaveEvent } from './event.js';

export interface SupersededFacts {
  readonly storage: string | undefined;
  /** Paths of the two files. */
  readonly slave: string;
  readonly peer: string;
  /** The highest term in which each of the sides has served; of a plain server 0. */
  readonly term: number;
  readonly peerTerm: number;
  readonly reason: string;
  readonly hint: string;
}

/** The event of a mark that was written. */
export function supersededEvent({ storage, slave, reason, ...facts }: SupersededFacts, time: number): SlaveEvent {
  return makeEvent('superseded', time, { storage, slave }, reason, { ...facts, reason });
}
