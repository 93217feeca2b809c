/**
 * The events of a slave, a public interface: hooks get them, the log names them, the history keeps them. Names are never
 * changed or removed.
 */
export const EVENT_NAMES = [
  /** The slave has become the file that serves. */
  'promoted',
  /** A promotion may have lost transactions. */
  'loss',
  /** An old master has become a slave again. */
  'rejoined',
  /** Transactions that only the old master had are in a file of their own. */
  'lost',
  /** A sync was refused; a person decides. */
  'refusal',
  /** Each side has transactions that the other lacks. */
  'fork',
  /** The data is wrong at a named place. */
  'damage',
  /** Syncs fail for a reason outside the data: an I/O error, a full disk, the master out of reach. */
  'fault',
  /** The slave was replaced by a new copy: the master has been packed, or --full. */
  'rebuild',
  /** The master does not have all blobs that its transactions name. */
  'blob-missing',
  /** The slave is in step again after one of the above. */
  'in-step',
] as const;
export type EventName = (typeof EVENT_NAMES)[number];

export interface SlaveEvent {
  readonly name: EventName;
  /** ISO 8601, UTC. */
  readonly time: string;
  /** The storage's name in the configuration; null: none. */
  readonly storage: string | null;
  /** Path of the slave's file. */
  readonly slave: string;
  /** One sentence for people. */
  readonly message: string;
  /** The same in figures, by stable names. */
  readonly facts: Facts;
}

/** By names in camel case; null: not known. A name is that of a log record's own field only if it means the same. */
export type Facts = Readonly<Record<string, string | number | boolean | null>>;

/** In UTF-16 units: a history of events, and the environment of a hook, are bounded. */
const LONGEST_TEXT = 1000;

export function makeEvent(
  name: EventName,
  time: number,
  of: { readonly storage: string | undefined; readonly slave: string },
  message: string,
  facts: Facts,
): SlaveEvent {
  const cut = Object.entries(facts).map(([key, value]) => [key, typeof value === 'string' ? shorten(value) : value]);
  return {
    name,
    time: new Date(time).toISOString(),
    storage: of.storage ?? null,
    slave: of.slave,
    message: shorten(message),
    facts: Object.fromEntries(cut) as Facts,
  };
}

function shorten(text: string): string {
  return text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT - 3)}...` : text;
}
