import { IoFault } from '../io/fault.js';
import type { SlavePaths } from '../standby/paths.js';
import type { BlobId } from './layout.js';
import type { Copy } from './manifest.js';
import { ManifestWriter } from './manifest-file.js';
import type { SlaveTree } from './slave-tree.js';

/** Blobs that are complete before a journal notes them. */
const JOURNAL_FILES = 512;
const JOURNAL_MS = 5000;

/** Notes durably which blobs are complete, every few seconds: the run after a killed one continues with the rest. */
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

/**
 * Notes what a batch has copied that comes to no claim, so that it is removed where a pack has removed its transactions by
 * the next run. The error that has ended the batch counts; one of this is of no interest beside it.
 */
export async function noteUnclaimed(
  entries: readonly (readonly [BlobId, Copy])[],
  paths: SlavePaths,
  slave: SlaveTree,
): Promise<void> {
  if (entries.length === 0) return;
  try {
    const journal = new Journal(ManifestWriter.journal(paths.blobsJournal, paths), slave);
    try {
      for (const [id, copy] of entries) await journal.add(id, copy);
    } finally {
      await journal.close();
    }
  } catch (error) {
    if (!(error instanceof IoFault)) throw error;
  }
}
