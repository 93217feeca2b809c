import { type TextSink, writeToStderr } from '../io/sink.js';
import { formatBytes } from './size.js';

const FIRST_AFTER_MS = 1000;
const EVERY_MS = 200;

/** One line on a terminal that is overwritten repeatedly; prints nothing for work that takes less than a second. */
export class Progress {
  private began: number;
  private shownAt = 0;
  private first: number | undefined;
  private firstFiles: number | undefined;

  constructor(
    private readonly sink: TextSink = writeToStderr,
    private readonly now: () => number = Date.now,
  ) {
    this.began = now();
  }

  /** Reports that `position` of `size` bytes is reached. */
  readonly show = (position: number, size: number): void => {
    const now = this.now();
    if (this.first === undefined || position < this.first) {
      // The first call, or the first one of a run that has started over.
      this.first = position;
      this.began = now;
    }
    if (now - this.began < FIRST_AFTER_MS || now - this.shownAt < EVERY_MS) return;
    this.shownAt = now;
    const seconds = (now - this.began) / 1000;
    const rate = (position - this.first) / seconds;
    const left = rate > 0 ? Math.ceil((size - position) / rate) : undefined;
    const percent = size > 0 ? Math.floor((100 * position) / size) : 100;
    const rest = left === undefined ? '' : `, ${left} s left`;
    this.sink(`\r\u001b[K${percent} % of ${formatBytes(size)}, ${formatBytes(rate)}/s${rest}`);
  };

  /** Reports files of blobs: how many are done of how many, and the bytes that were copied. */
  readonly showFiles = ({ files, bytes }: { readonly files: number; readonly bytes: number }, all: number): void => {
    const now = this.now();
    if (this.firstFiles === undefined || files < this.firstFiles) {
      this.firstFiles = files;
      this.began = now;
    }
    if (now - this.began < FIRST_AFTER_MS || now - this.shownAt < EVERY_MS) return;
    this.shownAt = now;
    const seconds = (now - this.began) / 1000;
    const rate = files / seconds;
    const rest = rate > 0 ? `, ${Math.ceil((all - files) / rate)} s left` : '';
    this.sink(`\r\u001b[K${files} of ${all} blobs, ${formatBytes(bytes)}, ${formatBytes(bytes / seconds)}/s${rest}`);
  };

  /** A sink for other lines on the same terminal: removes the progress line first. */
  readonly above: TextSink = (text) => {
    this.end();
    this.sink(text);
  };

  /** Removes the line. */
  end(): void {
    if (this.shownAt > 0) this.sink('\r\u001b[K');
    this.shownAt = 0;
  }
}
