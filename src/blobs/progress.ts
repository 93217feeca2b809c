import type { OnBlobs } from './settings.js';

/** Counts what is brought, for a line of progress. */
export class BlobProgress {
  private files = 0;
  private bytes = 0;
  private expected = 0;

  constructor(private readonly onProgress: OnBlobs) {}

  /** Begins to count towards so many files. */
  expect(files: number): void {
    this.expected = files;
    this.files = 0;
    this.bytes = 0;
  }

  read(bytes: number): void {
    this.bytes += bytes;
    this.report();
  }

  done(): void {
    this.files++;
    this.report();
  }

  private report(): void {
    this.onProgress({ files: this.files, bytes: this.bytes }, this.expected);
  }
}
