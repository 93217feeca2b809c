import { type BlobCase, blobsIn } from './blob-judge.js';
import { keyOf } from './blob-site.js';
import type { Case } from './case.js';
import { type Change, type FileId, SLAVE } from './change.js';
import { DAT } from './history.js';
import { BLOBS, datIn, EMPTY } from './image.js';
import { type Disk, ModelDisk } from './model-disk.js';
import type { Scenario, Stage } from './scenario.js';
import { entriesOf } from './tree.js';
import { shownIn } from './visible.js';

const COPIER = { site: 'another program', within: [] } as const;

/** What is known about the blobs before the run. */
export function blobCaseOf(
  { blobsUnsynced, leavesCopies = false }: Scenario,
  { blobs }: Stage,
  start: Disk,
  shown: Uint8Array | undefined,
): BlobCase | undefined {
  if (!blobs) return undefined;
  const of: BlobCase = { ...blobs, leavesCopies, had: new Set(), excused: new Set(), doubtful: new Set() };
  const had = blobsIn(of, start);
  if (typeof had === 'string') throw new Error(`the scenario's blobs are wrong: ${had}`);
  const named = shownIn(shown ?? new Uint8Array()).records.map(keyOf);
  const excused = named.filter((key) => blobs.site.contents.has(key) && (blobsUnsynced || !had.has(key)));
  return { ...of, had, excused: new Set(excused), doubtful: blobsUnsynced ? had : new Set() };
}

/**
 * Makes all names and bytes in the blob directory changes that are pending when the run begins. Judged are the states since
 * the first claim about blobs.
 */
export function blobsInMemoryOnly(start: Disk, changes: readonly Change[]): Pick<Case, 'start' | 'changes' | 'from'> {
  const copying: Change[] = [];
  const tree = entriesOf(start);
  const images = new Map(start.images);
  const copy = (path: string, directory: FileId): void => {
    for (const [entry, file] of tree.get(directory) ?? []) {
      const name = `${path}/${entry}`;
      if (tree.has(file)) {
        copying.push({ kind: 'make-directory', name, file, directory, ...COPIER });
        copy(name, file);
      } else {
        const { bytes = EMPTY.bytes, modified } = start.images.get(file) ?? EMPTY;
        copying.push({ kind: 'create', name, file, directory, ...COPIER });
        copying.push({ kind: 'write', file, position: 0, bytes, ...COPIER });
        copying.push({ kind: 'attributes', file, modified, ...COPIER });
        images.delete(file);
      }
    }
  };
  const root = start.directories?.get(BLOBS) ?? SLAVE;
  copy(BLOBS, root);
  const all = [...copying, ...changes];
  const disk = new ModelDisk(start);
  const claimed = all.findIndex((change, index) => {
    if (index >= copying.length) disk.apply(change);
    return change.kind === 'rename' && change.to === DAT && datIn(disk.seenOf(change.file))?.blobs?.directory === BLOBS;
  });
  const names = new Map([...start.names].filter(([name]) => !name.startsWith(`${BLOBS}/`)));
  return { start: { names, directories: new Map([[BLOBS, root]]), images }, changes: all, from: claimed + 1 };
}
