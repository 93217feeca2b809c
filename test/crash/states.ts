import { createHash } from 'node:crypto';
import { type FileId, SLAVE } from './change.js';
import { fileVariants, variantsByChanges } from './file-variants.js';
import { datIn, digestOf, type Image } from './image.js';
import type { Disk, ModelDisk } from './model-disk.js';
import { subsets } from './subsets.js';
import { renamed, type Visible, visibleIn } from './tree.js';

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
 * - Each directory has entries of its own, which only its own sync makes durable; a directory's name is an entry of its
 *   parent. A file in a directory whose name is lost is lost. The entries of one directory vary while none or all changes
 *   of all others took place; with those of another directory than the slave's, none or all changes of the files. Beside
 *   a blob directory, a change varies what it has changed, and a sync what may depend on it; see ModelDisk.varies.
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
  for (const { visible, isBrief } of visiblesOf(disk)) {
    const files = [...new Set(visible.names.values())].sort((a, b) => a - b);
    const contents = isBrief ? noneOrAll(disk, files) : combinations(disk, files, edges, variants);
    for (const images of contents) {
      const state = stateOf({ ...visible, images });
      if (seen.has(state.key)) continue;
      seen.add(state.key);
      yield state;
    }
  }
}

export function stateOf(disk: Disk): State {
  return { ...disk, key: keyOf(disk) };
}

/** What the paths may lead to. `isBrief`: the contents of files need not vary as well. */
function visiblesOf(disk: ModelDisk): { readonly visible: Visible; readonly isBrief: boolean }[] {
  const found = new Map<string, { visible: Visible; isBrief: boolean }>();
  const changed = [...disk.directories].flatMap(([id, { pending }]) => (pending.length > 0 ? [id] : []));
  const vary = (one: FileId, isBrief: boolean): void => {
    const others = changed.some((id) => id !== one) ? [false, true] : [false];
    for (const allOfOthers of others) {
      const all = disk.directories.get(one)?.pending ?? [];
      for (const chosen of disk.varies(one) === 'no' ? [[], all] : subsets(all)) {
        const tree = disk.tree(({ durable, pending }, id) =>
          id === one ? renamed(durable, chosen) : allOfOthers ? renamed(durable, pending) : durable,
        );
        const visible = visibleIn(tree);
        const key = keyOfNames(visible);
        if (!found.has(key)) found.set(key, { visible, isBrief });
      }
    }
  };
  vary(SLAVE, false);
  for (const id of changed) if (id !== SLAVE) vary(id, true);
  return [...found.values()];
}

function keyOfNames({ names, directories }: Visible): string {
  return JSON.stringify([[...names].sort(), directories && [...directories].sort()]);
}

function* noneOrAll(
  disk: ModelDisk,
  files: readonly FileId[],
  durable = durableOf(disk, files),
): Generator<ReadonlyMap<FileId, Image>> {
  yield durable;
  if (files.length > 0) yield withSeen(durable, files, disk);
}

function durableOf(disk: ModelDisk, files: readonly FileId[]): ReadonlyMap<FileId, Image> {
  return new Map(
    files.flatMap((file) => {
      const found = disk.files.get(file);
      return found ? [[file, found.durable] as const] : [];
    }),
  );
}

/** Contents of the files: the variants of each one, with no or all changes of the others. */
function* combinations(
  disk: ModelDisk,
  files: readonly FileId[],
  edges: readonly number[],
  variants: VariantCache,
): Generator<ReadonlyMap<FileId, Image>> {
  const pending = files.filter((file) => (disk.files.get(file)?.pending.length ?? 0) > 0);
  const durable = durableOf(disk, files);
  const varying = pending.filter((file) => disk.varies(file) !== 'no');
  if (varying.length === 0) return yield* noneOrAll(disk, pending, durable);
  for (const file of varying) {
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
  private readonly known = new Map<
    FileId,
    { readonly of: object; readonly how: string; readonly images: readonly Image[] }
  >();

  of(disk: ModelDisk, file: FileId, edges: readonly number[]): readonly Image[] {
    const model = disk.files.get(file);
    if (!model) return [];
    const how = disk.varies(file);
    const found = this.known.get(file);
    if (found?.of === model && found.how === how) return found.images;
    const images = how === 'fully' ? fileVariants(model, edges) : variantsByChanges(model);
    this.known.set(file, { of: model, how, images });
    return images;
  }
}

/** Two states are equal if their keys are: names, contents, attributes, and the file that a `.dat` describes. */
function keyOf({ names, images, directories }: Disk): string {
  const hash = createHash('sha1');
  if (directories) hash.update(JSON.stringify([...directories.keys()].sort()));
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
