import { milliseconds } from '../io/clock.js';
import type { Log } from '../report/log.js';

/** A warning or an error that a round repeats is logged again after this time. */
const REPEAT_MS = 600_000;
/** Different ones that are remembered. */
const MOST_KNOWN = 100;

/**
 * The log of a watch's rounds, for a storage. A round a second would log three lines a second: what a round says of itself goes to
 * debug, and a trouble that lasts is logged once, and again every ten minutes. Events are logged each time: they are once by
 * themselves.
 */
export class RoundLog implements Log {
  private readonly known = new Map<string, number>();

  constructor(
    private readonly log: Log,
    private readonly storage: string,
  ) {}

  debug(fields: Record<string, unknown>, message: string): void {
    this.log.debug({ storage: this.storage, ...fields }, message);
  }

  info(fields: Record<string, unknown>, message: string): void {
    if ('event' in fields) this.note(fields, message);
    else this.debug(fields, message);
  }

  warn(fields: Record<string, unknown>, message: string): void {
    if ('event' in fields || this.isNew(message)) this.log.warn({ storage: this.storage, ...fields }, message);
    else this.debug(fields, message);
  }

  error(fields: Record<string, unknown>, message: string): void {
    if (this.isNew(message)) this.log.error({ storage: this.storage, ...fields }, message);
    else this.debug(fields, message);
  }

  /** What the watch itself says of the storage. */
  note(fields: Record<string, unknown>, message: string): void {
    this.log.info({ storage: this.storage, ...fields }, message);
  }

  /** The storage is in step again: what comes now is new. */
  forget(): void {
    this.known.clear();
  }

  private isNew(message: string): boolean {
    const now = milliseconds();
    const before = this.known.get(message);
    if (before !== undefined && now - before < REPEAT_MS) return false;
    if (this.known.size >= MOST_KNOWN) this.known.clear();
    this.known.set(message, now);
    return true;
  }
}
