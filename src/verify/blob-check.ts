import type { BlobTree, OpenBlob } from '../blobs/blob-tree.js';
import { Lanes } from '../blobs/lanes.js';
import { type BlobId, LAYOUT_FILE, pathOf } from '../blobs/layout.js';
import type { Copy, Manifest } from '../blobs/manifest.js';
import { NotABlob } from '../blobs/mistakes.js';
import type { NeededBlobs } from '../blobs/needed.js';
import { IoFault } from '../io/fault.js';
import type { ReadDeadline } from '../pipeline/read-deadline.js';
import type { Window } from '../pipeline/window.js';

/** How many wrong blobs are named. */
const MOST_NAMED = 1000;

/** `missing`: there is no file. `wrong`: it is not the one that was copied, or cannot be one. */
export interface WrongBlob extends BlobId {
  readonly kind: 'missing' | 'wrong';
  /** Relative to the directory. */
  readonly path: string;
  readonly message: string;
}

/** The blobs of a file, against its blob directory. */
export interface BlobFindings {
  readonly directory: string;
  /** Blobs that the transactions name; bytes of the files that were found. */
  readonly named: number;
  readonly bytes: number;
  /** Those whose contents were compared with a recorded hash; the others were only opened. */
  readonly hashed: number;
  readonly missing: number;
  readonly wrong: number;
  /** Blob files that no transaction names: of aborted transactions, or packed away. */
  readonly extra: number;
  readonly temporary: number;
  readonly foreign: number;
  /** The first thousand, in the order of their paths. */
  readonly problems: readonly WrongBlob[];
}

export interface BlobRequest {
  readonly needed: NeededBlobs;
  readonly tree: BlobTree;
  /** What was copied; undefined: only whether the files are there can be checked. */
  readonly manifest: Manifest | undefined;
  readonly deadline: ReadDeadline;
  readonly onBlob: (done: { readonly files: number; readonly bytes: number }, files: number) => void;
}

/** Checks every blob that a file's transactions name, and counts what else is in its directory. Changes nothing. */
export async function checkBlobs(request: BlobRequest): Promise<BlobFindings> {
  const { needed, tree, deadline } = request;
  const check = new BlobCheck(request);
  await new Lanes(deadline).run(needed.ids, (id, window) => check.one(id, window));
  const others = { extra: 0, temporary: 0, foreign: 0 };
  for await (const entry of tree.entries()) {
    if (entry.kind !== 'blob') others[entry.kind]++;
    else if (needed.ids.numberOf(entry.id) === undefined) others.extra++;
  }
  if (tree.isUnmarked && tree.layout === 'bushy' && needed.ids.size > 0) check.noLayout();
  const { bytes, hashed, missing, wrong, problems } = check;
  problems.sort((a, b) => (a.path < b.path ? -1 : 1));
  return { directory: tree.path, named: needed.ids.size, bytes, hashed, missing, wrong, ...others, problems };
}

class BlobCheck {
  bytes = 0;
  hashed = 0;
  missing = 0;
  wrong = 0;
  readonly problems: WrongBlob[] = [];
  private files = 0;

  constructor(private readonly request: BlobRequest) {}

  async one(id: BlobId, window: Window): Promise<void> {
    const { tree, manifest, needed, onBlob } = this.request;
    const copy = manifest?.get(id);
    try {
      const blob = await tree.openBlob(id);
      if (blob && blob.relative !== blob.place) this.misplaced(id, blob);
      else if (blob) await this.compare(id, blob, copy, window);
      else if (copy === 'missing') this.problem(id, 'missing', 'the master had no file of it either');
      else this.problem(id, 'missing', 'there is no file of it');
    } catch (error) {
      if (error instanceof NotABlob) this.problem(id, 'wrong', error.message);
      else if (error instanceof IoFault && (error.code === 'EACCES' || error.code === 'EIO'))
        this.problem(id, 'wrong', error.message);
      else throw error;
    }
    this.files++;
    onBlob({ files: this.files, bytes: this.bytes }, needed.ids.size);
  }

  private async compare(id: BlobId, blob: OpenBlob, copy: Copy | undefined, window: Window): Promise<void> {
    const { tree } = this.request;
    try {
      const { size } = blob.facts;
      this.bytes += size;
      if (copy === undefined || copy === 'missing') return;
      if (size !== copy.length)
        return this.problem(id, 'wrong', `it has ${size} bytes, and was copied with ${copy.length}`);
      const hash = await tree.hash(blob, window);
      this.hashed++;
      if (hash !== copy.hash) this.problem(id, 'wrong', 'its bytes are not those that were copied');
    } finally {
      tree.close(blob);
    }
  }

  noLayout(): void {
    this.wrong++;
    const message =
      'the directory has no file .layout that says bushy: a server takes it for a lawn, and finds no blob';
    this.problems.push({ oid: 0n, tid: 0n, kind: 'wrong', path: LAYOUT_FILE, message });
  }

  private misplaced(id: BlobId, blob: OpenBlob): void {
    this.request.tree.close(blob);
    this.problem(id, 'missing', `its file is ${blob.relative}, in the other layout, where ZODB does not look`);
  }

  private problem(id: BlobId, kind: WrongBlob['kind'], message: string): void {
    this[kind]++;
    const path = pathOf(id, this.request.tree.layout);
    if (this.problems.length < MOST_NAMED) this.problems.push({ ...id, kind, path, message });
  }
}
