import type { FileChange } from './change.js';
import { after, digestOf, extended, type Image } from './image.js';
import type { ModelFile } from './model-disk.js';
import { subsets } from './subsets.js';

const SECTOR = 512;
const PAGE = 4096;
const LARGE_WRITE = 65_536;

type Write = Extract<FileChange, { kind: 'write' }>;

/** Everything that a power cut may leave of one file, as states.ts tells; each once. */
export function fileVariants({ durable, pending }: ModelFile, edges: readonly number[]): Image[] {
  const fullSize = after(durable, pending).bytes.length;
  const found = new Map<string, Image>();
  const add = (changes: readonly FileChange[]): void => {
    const image = after(durable, changes);
    for (const each of [image, extended(image, fullSize)]) found.set(digestOf(each), each);
  };
  for (const chosen of subsets(pending)) add(chosen);
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
  return [...found.values()];
}

/** Offsets in the write at which it may be torn. */
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
