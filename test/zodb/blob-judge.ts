import type { BlobId, Layout } from '../../src/blobs/layout.js';
import type { RecordKind } from '../../src/filestorage/blob-record.js';
import { inProject } from '../support/root.js';
import { python } from '../support/venv.js';
import { JsonLines } from './json-lines.js';

/** The real ZODB's blobs, in a long-lived process; see blob_judge.py. */
export class BlobJudge {
  private readonly process = new JsonLines(python(), [inProject('test', 'zodb', 'blob_judge.py')]);

  /** Forms of a blob's record, and what resembles them. */
  async records(): Promise<(readonly [name: string, record: Buffer])[]> {
    const rows = (await this.process.ask({ ask: 'records' })) as [string, string][];
    return rows.map(([name, record]) => [name, Buffer.from(record, 'base64')]);
  }

  async judge(records: readonly Uint8Array[]): Promise<RecordKind[]> {
    const encoded = records.map((record) => Buffer.from(record).toString('base64'));
    return (await this.process.ask({ ask: 'judge', records: encoded })) as RecordKind[];
  }

  /** Where the blobs are, relative to the blob directory, and the text of each layout's marker. */
  async paths(ids: readonly BlobId[]): Promise<{ paths: Record<Layout, string>[]; markers: Record<Layout, string> }> {
    const asked = ids.map(({ oid, tid }) => [String(oid), String(tid)]);
    return (await this.process.ask({ ask: 'paths', ids: asked })) as {
      paths: Record<Layout, string>[];
      markers: Record<Layout, string>;
    };
  }

  close(): Promise<void> {
    return this.process.close();
  }
}
