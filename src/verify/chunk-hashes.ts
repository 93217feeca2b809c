import type { Window } from '../pipeline/window.js';
import type { ChunkLine } from '../standby/dat.js';

/** Hashes the contiguous chunks of a `.dat` that lie in a piece, as its bytes pass through the window. */
export class ChunkHashes {
  private next = 0;

  constructor(
    private readonly chunks: readonly ChunkLine[],
    private readonly window: Window,
    private readonly onWrong: (chunk: ChunkLine) => void,
  ) {}

  /** Position after the last chunk; 0 without any. */
  get end(): number {
    return this.chunks.at(-1)?.end ?? 0;
  }

  /** Hashes the window's first `length` bytes, which are at `position` and follow those of the last call. */
  take(position: number, length: number): void {
    for (let chunk = this.chunks[this.next]; chunk && chunk.start < position + length; chunk = this.chunks[this.next]) {
      if (chunk.start >= position) this.window.reset();
      this.window.add(Math.max(chunk.start - position, 0), Math.min(chunk.end - position, length));
      if (chunk.end > position + length) return;
      if (this.window.digest() !== chunk.hash) this.onWrong(chunk);
      this.next++;
    }
  }

  /** Reports the chunks that lie beyond the end of the file. */
  finish(): void {
    for (const chunk of this.chunks.slice(this.next)) this.onWrong(chunk);
    this.next = this.chunks.length;
  }
}
