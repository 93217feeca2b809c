import type { BlobId } from './layout.js';
import type { Copy } from './manifest.js';
import type { ManifestWriter } from './manifest-file.js';
import type { SlaveTree } from './slave-tree.js';

/** Blobs that are complete before a journal notes them. */
const JOURNAL_FILES = 512;
const JOURNAL_MS = 5000;

/** Notes durably which blobs are complete, every few seconds: a run that is killed does not begin anew. */
export class Journal {
  private entries: (readonly [BlobId, Copy])[] = [];
  private last = Date.now();
  private flushing: Promise<void> = Promise.resolve();

  constructor(
    private readonly writer: ManifestWriter,
    private readonly slave: SlaveTree,
  ) {}

  async add(id: BlobId, copy: Copy): Promise<void> {
    if (copy !== 'missing') this.entries.push([id, copy]);
    if (this.entries.length < JOURNAL_FILES && Date.now() - this.last < JOURNAL_MS) return;
    this.last = Date.now();
    this.flushing = this.flushing.then(() => this.flush());
    await this.flushing;
  }

  /** Notes the rest, unless noting has failed: then the error was thrown already. */
  async close(): Promise<void> {
    try {
      await this.flushing.then(() => this.flush());
    } finally {
      this.writer.close();
    }
  }

  private async flush(): Promise<void> {
    const entries = this.entries.splice(0);
    if (entries.length === 0) return;
    await this.slave.settle();
    this.writer.append(entries);
  }
}
