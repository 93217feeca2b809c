import { OpenFile } from '../io/open-file.js';
import { makeDirectory } from '../io/temporary.js';
import type { Site } from './site.js';

const utf8 = new TextEncoder();

/** The data of every object with a blob, as ZODB pickles it: the class and no state. The contents are in a file. */
const RECORD = Uint8Array.of(0x80, 3, ...utf8.encode('cZODB.blob\nBlob\nq\0.'), 0x80, 3, ...utf8.encode('N.'));
const READ_ONLY = 0o444;
const OID_BYTES = 8;

/**
 * A ZEO server's blob directory in the layout `bushy`: a directory for each byte of the oid, and in it a file for each
 * transaction that wrote the blob.
 */
export class BlobDirectory {
  private readonly made = new Set<string>();

  private constructor(readonly path: string) {}

  static create(path: string): BlobDirectory {
    makeDirectory(path);
    writeFile(`${path}/.layout`, utf8.encode('bushy'));
    return new BlobDirectory(path);
  }

  /** Commits a blob as ZODB does: vote, the file under its final name, finish. Returns its path below the directory. */
  commit(site: Site, oid: bigint, contents: Uint8Array, description = 'uploaded'): string {
    const tid = site.vote({ user: 'editor', description, edits: [{ oid, data: RECORD }] });
    const bytes = digits(oid).match(/../g) ?? [];
    const names = bytes.slice(0, OID_BYTES).map((byte) => `0x${byte}`);
    let directory = this.path;
    for (const name of names) {
      directory = `${directory}/${name}`;
      if (!this.made.has(directory)) makeDirectory(directory);
      this.made.add(directory);
    }
    const name = `0x${digits(tid)}.blob`;
    writeFile(`${directory}/${name}`, contents);
    site.finish();
    return [...names, name].join('/');
  }
}

function digits(value: bigint): string {
  return value.toString(16).padStart(2 * OID_BYTES, '0');
}

function writeFile(path: string, bytes: Uint8Array): void {
  const file = OpenFile.createNew(path, READ_ONLY);
  try {
    file.write(bytes, 0);
  } finally {
    file.close();
  }
}
