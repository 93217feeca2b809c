import type { Receiver } from './chunk-source.js';
import type { SlotKind } from './lane.js';
import type { Taker } from './worker-job.js';

/** Delivers what a worker hands over of a chunk to its receiver. */
export class ChunkTaker implements Taker {
  position: number;

  /** `from`: where the chunk's bytes begin; `onPosition` is told after each slot up to where they have been delivered. */
  constructor(
    private readonly target: Receiver,
    from: number,
    private readonly onPosition: (position: number) => void,
  ) {
    this.position = from;
  }

  take(bytes: Uint8Array, kind: SlotKind): void {
    if (kind === 'records') {
      this.target.records?.take(bytes);
    } else {
      this.target.write?.(bytes, this.position);
      this.position += bytes.length;
    }
    this.onPosition(this.position);
  }
}
