import type { Window } from '../pipeline/window.js';
import type { ChunkLine } from '../standby/dat.js';

/** Hashes the chunks of a `.dat` that lie back to back in a piece, as its bytes pass through the window. */
export class ChunkHashes {
  private next = 0;

  constructor(
    private readonly chunks: readonly ChunkLine[],
    private readonly window: Window,
    private readonly onWrong: (chunk: ChunkLine) => void,
  ) {}

  /** Position after the last of them; 0 without any. */
  get end(): number {
    return this.chunks.at(-1)?.end ?? 0;
  }

  /** Takes the window's first `length` bytes, which stand at `position` and follow those taken before. */
  take(position: number, length: number): void {
    for (let chunk = this.chunks[this.next]; chunk && chunk.start < position + length; chunk = this.chunks[this.next]) {
      if (chunk.start >= position) this.window.reset();
      this.window.add(Math.max(chunk.start - position, 0), Math.min(chunk.end - position, length));
      if (chunk.end > position + length) return;
      if (this.window.digest() !== chunk.hash) this.onWrong(chunk);
      this.next++;
    }
  }

  /** Tells of those that the file ended before. */
  finish(): void {
    for (const chunk of this.chunks.slice(this.next)) this.onWrong(chunk);
    this.next = this.chunks.length;
  }
}
