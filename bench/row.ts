import type { Medium, Scene } from './scene.js';
import type { Series } from './statistics.js';
import type { Target } from './target.js';

/** One benchmark: a table for each medium and size. */
export interface Row {
  /** Name for --rows. */
  readonly name: string;
  readonly media: readonly Medium[];
  /** Why the row cannot run here; undefined when it can. */
  readonly missing?: (scene: Scene) => string | undefined;
  readonly measure: (scene: Scene) => Promise<Measured>;
}

export interface Measured {
  /** The heading of the table. */
  readonly title: string;
  /** What a reader must know to interpret the figures. */
  readonly note?: string;
  readonly series: readonly Series[];
  readonly targets: readonly Target[];
}

/** A row's result, and where it was measured. */
export interface Measurement extends Measured {
  readonly row: string;
  readonly medium: Medium;
  readonly bytes: number;
}
