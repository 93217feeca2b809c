/**
 * The events of a slave, a public interface: hooks get them, the log names them, the history keeps them. Names are never
 * changed or removed.
 */
export const EVENT_NAMES = [
  /** The slave has become the file that serves. */
  'promoted',
  /** A promotion may have lost transactions. */
  'loss',
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
  readonly facts: Readonly<Record<string, string | number | boolean | null>>;
}
