import type { FileChange } from './change.js';
import { after, digestOf, extended, type Image } from './image.js';
import type { ModelFile } from './model-disk.js';
import { subsets } from './subsets.js';

const SECTOR = 512;
const PAGE = 4096;
const LARGE_WRITE = 65_536;

type Write = Extract<FileChange, { kind: 'write' }>;

/** The contents of one file that complete changes may leave: the size may be ahead, but no write is torn. */
export function variantsByChanges(file: ModelFile): Image[] {
  return [...byChanges(file).found.values()];
}

function byChanges({ durable, pending }: ModelFile) {
  const fullSize = after(durable, pending).bytes.length;
  const found = new Map<string, Image>();
  const add = (changes: readonly FileChange[]): void => {
    const image = after(durable, changes);
    for (const each of [image, extended(image, fullSize)]) found.set(digestOf(each), each);
  };
  for (const chosen of subsets(pending)) add(chosen);
  return { found, add };
}

/** Every distinct content of one file that a power cut may leave, by the model in states.ts. */
export function fileVariants(file: ModelFile, edges: readonly number[]): Image[] {
  const { durable, pending } = file;
  const { found, add } = byChanges(file);
  for (const [index, change] of pending.entries()) {
    if (change.kind !== 'write') continue;
    const before = pending.slice(0, index);
    const behind = pending.slice(index + 1);
    for (const point of tears(change, edges)) {
      const [head, tail] = torn(change, point);
      add([head]);
      add([...before, head]);
      add([...before, tail]);
      add([...before, head, ...behind]);
      add([...before, tail, ...behind]);
    }
  }
  for (const image of mixtures(after(durable, pending), durable)) found.set(digestOf(image), image);
  return [...found.values()];
}

/** The image after all changes with some sectors unchanged: only one, only two, or all but one. */
function mixtures(changed: Image, durable: Image): Image[] {
  const size = changed.bytes.length;
  const before = new Uint8Array(size);
  before.set(durable.bytes.subarray(0, size));
  const sectors = changedSectors(changed.bytes, before);
  const mixed = (base: Uint8Array, other: Uint8Array, taken: readonly Range[]): Image => {
    const bytes = base.slice();
    for (const [from, to] of taken) bytes.set(other.subarray(from, to), from);
    return { bytes, attributes: changed.attributes };
  };
  return sectors.flatMap((one, index) => [
    mixed(before, changed.bytes, [one]),
    mixed(changed.bytes, before, [one]),
    ...sectors.slice(index + 1).map((two) => mixed(changed.bytes, before, [one, two])),
  ]);
}

type Range = readonly [from: number, to: number];

function changedSectors(changed: Uint8Array, before: Uint8Array): Range[] {
  const step = changed.length > LARGE_WRITE ? PAGE : SECTOR;
  const sectors: Range[] = [];
  for (let from = 0; from < changed.length; from += step) {
    const to = Math.min(from + step, changed.length);
    if (Buffer.compare(changed.subarray(from, to), before.subarray(from, to)) !== 0) sectors.push([from, to]);
  }
  return sectors;
}

/** Offsets in the write at which it may tear. */
function tears({ position, bytes }: Write, edges: readonly number[]): Set<number> {
  const step = bytes.length > LARGE_WRITE ? PAGE : SECTOR;
  const points = new Set<number>();
  const add = (at: number): void => {
    if (at > position && at < position + bytes.length) points.add(at - position);
  };
  for (let at = Math.ceil(position / step) * step; at < position + bytes.length; at += step) add(at);
  for (const edge of edges) for (const at of [edge - 1, edge, edge + 1]) add(at);
  return points;
}

function torn(write: Write, point: number): [Write, Write] {
  const head = { ...write, bytes: write.bytes.subarray(0, point) };
  return [head, { ...write, position: write.position + point, bytes: write.bytes.subarray(point) }];
}
