import { join } from 'node:path';
import { removeIfThere } from '../io/directory.js';
import { factsOfPath } from '../io/facts.js';
import { OpenFile } from '../io/open-file.js';
import { makeDirectory } from '../io/temporary.js';
import type { History } from './history.js';
import { FIRST_BLOB, type Site } from './site.js';

const utf8 = new TextEncoder();

/** The data of every object with a blob, as ZODB pickles it: the class and no state. The contents are in a file. */
const RECORD = Uint8Array.of(0x80, 3, ...utf8.encode('cZODB.blob\nBlob\nq\0.'), 0x80, 3, ...utf8.encode('N.'));
const READ_ONLY = 0o444;

/**
 * A ZEO server's blob directory in the layout `bushy`: a directory for each byte of the oid, and in it a file for each
 * transaction that wrote the blob.
 */
export class BlobDirectory {
  private readonly written = new Set<string>();

  private constructor(readonly path: string) {}

  /** Begins a blob directory in one that is there, and empty. */
  static begin(path: string): BlobDirectory {
    writeFile(join(path, '.layout'), utf8.encode('bushy'));
    return new BlobDirectory(path);
  }

  static open(path: string): BlobDirectory {
    return new BlobDirectory(path);
  }

  /** Votes for a change of a blob, as ZODB does: its file has its final name before the commit. Returns its path here. */
  vote(site: Site, number: number, contents: Uint8Array): string {
    const oid = FIRST_BLOB + BigInt(number);
    const tid = site.vote({ user: 'editor', description: 'uploaded', edits: [{ oid, data: RECORD }] });
    const path = pathOf(oid, tid);
    const components = path.split('/');
    for (let depth = 1; depth < components.length; depth++) {
      const directory = join(this.path, ...components.slice(0, depth));
      if (factsOfPath(directory) === undefined) makeDirectory(directory);
    }
    writeFile(join(this.path, path), contents);
    this.written.add(path);
    return path;
  }

  commit(site: Site, number: number, contents: Uint8Array): string {
    const path = this.vote(site, number, contents);
    site.finish();
    return path;
  }

  abort(site: Site, path: string): void {
    site.abort();
    this.remove(path);
  }

  /** After a pack: removes the files, of those written here, that no transaction names any more. Returns their paths. */
  removeUnnamed(history: History): string[] {
    const named = new Set(blobPaths(history));
    const unnamed = [...this.written].filter((path) => !named.has(path));
    for (const path of unnamed) this.remove(path);
    return unnamed;
  }

  private remove(path: string): void {
    removeIfThere(join(this.path, path));
    this.written.delete(path);
  }
}

/** The files that transactions need, as paths below a blob directory. */
export function blobPaths(history: History): string[] {
  return history.flatMap(({ tid, records }) =>
    records
      .filter((record) => 'data' in record && Buffer.compare(record.data, RECORD) === 0)
      .map(({ oid }) => pathOf(oid, tid)),
  );
}

function pathOf(oid: bigint, tid: bigint): string {
  const directories = (digits(oid).match(/../g) ?? []).map((byte) => `0x${byte}`);
  return [...directories, `0x${digits(tid)}.blob`].join('/');
}

function digits(value: bigint): string {
  return value.toString(16).padStart(16, '0');
}

function writeFile(path: string, bytes: Uint8Array): void {
  const file = OpenFile.createNew(path, READ_ONLY);
  try {
    file.write(bytes, 0);
  } finally {
    file.close();
  }
}
