import { createHash } from 'node:crypto';
import type { FileId } from './change.js';
import { fileVariants } from './file-variants.js';
import { datIn, digestOf, type Image } from './image.js';
import { type Disk, type ModelDisk, type Names, renamed } from './model-disk.js';
import { subsets } from './subsets.js';

/**
 * The fault model: what a power cut may leave of a directory. The states of a crash point are all distinct combinations of
 * the following.
 *
 * - Of a file's changes since its last sync, one of these sets took place, in order: none, all, every prefix, all but
 *   one, all but two, only one.
 * - The size may be ahead of the data: bytes not written are zeros up to the size after all changes.
 * - A write may tear at each multiple of 512 bytes of the file (4 KiB for writes above 64 KiB), and at, one byte before
 *   and one byte after each edge of a transaction: its head without its tail, or its tail without its head.
 * - The disk knows sectors, not writes: of the sectors in which the file differs from its durable content, all but one, all
 *   but two or only one were written (4 KiB pages for files above 64 KiB).
 * - Owner and mode are changes of a file too; fdatasync does not make them durable, fsync does.
 * - Names are changes of the directory: creating, renaming, linking, removing. Of those since the directory's last sync
 *   the same sets as above took place, independently of the files' data. A rename is atomic.
 * - A file's sync makes none of its names durable.
 *
 * The death of the process alone loses nothing: the next run sees every change, and pending changes are still pending.
 *
 * Not modelled: bytes that nobody wrote (a torn write of a disk without sector atomicity, bit rot), and acknowledged
 * synced writes that the disk lost. Scrub covers those.
 *
 * The model's one liberty: a `.dat` names the slave's inode, and a state is written into new files, so a complete `.dat` is
 * rewritten to name the new inode of the file that it described, or no inode if that file is gone. A torn one stays
 * unchanged.
 */
export interface State extends Disk {
  readonly key: string;
}

/** Every distinct state that a power cut at this moment may leave. `edges` are the positions of transactions. */
export function* statesOf(disk: ModelDisk, edges: readonly number[], variants: VariantCache): Generator<State> {
  const seen = new Set<string>();
  for (const names of namesOf(disk)) {
    const files = [...new Set(names.values())].sort((a, b) => a - b);
    for (const images of combinations(disk, files, edges, variants)) {
      const state = stateOf({ names, images });
      if (seen.has(state.key)) continue;
      seen.add(state.key);
      yield state;
    }
  }
}

export function stateOf(disk: Disk): State {
  return { ...disk, key: keyOf(disk) };
}

function namesOf(disk: ModelDisk): Names[] {
  const { durable, pending } = disk.names;
  const found = new Map<string, Names>();
  for (const chosen of subsets(pending)) {
    const names = renamed(durable, chosen);
    found.set(JSON.stringify([...names].sort()), names);
  }
  return [...found.values()];
}

/** Contents of the files: the variants of each one, with no or all changes of the others. */
function* combinations(
  disk: ModelDisk,
  files: readonly FileId[],
  edges: readonly number[],
  variants: VariantCache,
): Generator<ReadonlyMap<FileId, Image>> {
  const pending = files.filter((file) => (disk.files.get(file)?.pending.length ?? 0) > 0);
  const durable = new Map(
    files.flatMap((file) => {
      const found = disk.files.get(file);
      return found ? [[file, found.durable] as const] : [];
    }),
  );
  if (pending.length === 0) yield durable;
  for (const file of pending) {
    const others = pending.filter((other) => other !== file);
    const backgrounds = others.length === 0 ? [durable] : [durable, withSeen(durable, others, disk)];
    for (const background of backgrounds) {
      for (const image of variants.of(disk, file, edges)) yield new Map(background).set(file, image);
    }
  }
}

function withSeen(images: ReadonlyMap<FileId, Image>, files: readonly FileId[], disk: ModelDisk): Map<FileId, Image> {
  return new Map([...images, ...files.map((file) => [file, disk.seenOf(file)] as const)]);
}

/** A file's variants stay the same until its next change. */
export class VariantCache {
  private readonly known = new Map<FileId, { readonly of: object; readonly images: readonly Image[] }>();

  of(disk: ModelDisk, file: FileId, edges: readonly number[]): readonly Image[] {
    const model = disk.files.get(file);
    if (!model) return [];
    const found = this.known.get(file);
    if (found?.of === model) return found.images;
    const images = fileVariants(model, edges);
    this.known.set(file, { of: model, images });
    return images;
  }
}

/** Two states are equal if their keys are: names, contents, attributes, and the file that a `.dat` describes. */
function keyOf({ names, images }: Disk): string {
  const hash = createHash('sha1');
  const sorted = [...names].sort(([a], [b]) => (a < b ? -1 : 1));
  const first = new Map<FileId, string>();
  for (const [name, file] of sorted) if (!first.has(file)) first.set(file, name);
  for (const [name, file] of sorted) {
    const image = images.get(file);
    if (!image) throw new Error(`${name} is a file that was never made`);
    hash.update(`${name}\n${first.get(file)}\n`);
    const dat = name.includes('.dat') ? datIn(image) : undefined;
    if (dat) {
      const { slaveInode, ...rest } = dat;
      const meant = first.get(Number(slaveInode)) ?? '';
      hash.update(`${meant}\n${image.attributes}\n`);
      hash.update(JSON.stringify(rest, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)));
    } else hash.update(digestOf(image));
  }
  return hash.digest('base64');
}
