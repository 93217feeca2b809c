import { isOnRemoteMount } from '../io/mount.js';
import type { Dat } from '../standby/dat.js';
import { type BothSides, sameBefore } from './proof.js';
import type { Serving } from './serving.js';

/**
 * The `.dat` beside MASTER, if it describes MASTER's file. A pack replaces the file, and another inode shows that. A mount may
 * number the files in another way: then the last recorded chunk and the head of the file have to be the slave's.
 */
export async function datOfServing(sides: BothSides, { dat }: Serving): Promise<Dat | undefined> {
  const { master, slave } = sides;
  if (!dat || dat.slaveInode === master.facts.inode) return dat;
  if (!isOnRemoteMount(master.path)) return undefined;
  const chunk = dat.chunks.findLast(({ end }) => end <= slave.size);
  const head = dat.chunks[0];
  if (!chunk || !head || chunk.end > master.size) return undefined;
  const isHead = await sameBefore(sides, Math.min(head.end, HEAD), HEAD);
  return isHead && (await sameBefore(sides, chunk.end, chunk.end - chunk.start)) ? dat : undefined;
}

const HEAD = 65_536;
