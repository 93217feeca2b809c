import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readChunk } from '../../src/pipeline/chunk.js';
import { advance, NOTHING_YET, nextTask } from '../../src/pipeline/chunk-table.js';
import type { Resume } from '../../src/pipeline/resume.js';
import { Window } from '../../src/pipeline/window.js';
import type { MasterIdentity } from '../../src/standby/dat.js';
import type { Facts, Probe } from '../../src/sync/facts.js';
import { take } from '../../src/sync/probes.js';
import { USUAL } from './deciding.js';
import { MemoryFile } from './memory-file.js';
import { withTempDir } from './site.js';
import { openMaster } from './sources.js';

export const CHUNK_BYTES = 1000;
const windows = [new Window(1 << 16), new Window(1 << 16)] as const;

/** The chunks of a slave of these bytes. */
export async function chunksOf(bytes: Uint8Array): Promise<Resume> {
  const file = new MemoryFile(bytes);
  for (let resume = NOTHING_YET; ; ) {
    const facts = await readChunk(nextTask(resume, file.size, CHUNK_BYTES), windows[0], file.read, () => {});
    resume = advance(resume, facts);
    if (facts.stop.kind !== 'cut') return resume;
  }
}

export interface SceneToSet {
  /** The common bytes of master and slave when the `.dat` was published; without them there is no `.dat`. */
  readonly claimed?: Uint8Array;
  readonly slave: Uint8Array;
  readonly master: Uint8Array;
  /** The master's file is not the one in the `.dat`. */
  readonly exchanged?: boolean;
  /** Where the last run started to copy. */
  readonly copiedFrom?: number;
}

/** Probes a scene several times in turn, each probe with the results of the earlier ones. */
export async function probeAt(scene: SceneToSet, ...probes: readonly Probe[]): Promise<Facts & { slaveReads: number }> {
  return withTempDir(async (directory) => {
    const path = join(directory, 'Data.fs');
    writeFileSync(path, scene.claimed ?? scene.master);
    const before = await openMaster(path);
    const { device, inode, size, mtime } = before.facts;
    const identity: MasterIdentity = { device, inode, size, mtime, magic: 'FS30' };
    before.close();
    if (scene.exchanged) {
      // The old file stays, so that the new one cannot get its inode number.
      renameSync(path, `${path}.old`);
    }
    writeFileSync(path, scene.master);
    const resume = scene.claimed ? await chunksOf(scene.claimed) : NOTHING_YET;
    const { position, tid, tailState, chunks } = resume;
    const dat = {
      role: 'slave',
      slaveInode: '1',
      master: identity,
      claim: { position, tid },
      copiedFrom: scene.copiedFrom,
      tailState,
      chunks,
    } as const;
    const master = await openMaster(path);
    const slave = new MemoryFile(scene.slave);
    const all = { master, slave, dat: scene.claimed && { ...dat, torn: undefined }, chunkBytes: CHUNK_BYTES, windows };
    try {
      let facts: Facts = { ...USUAL, slave: { state: 'there', size: slave.size } };
      for (const probe of probes) facts = await take(probe, facts, all);
      return { ...facts, slaveReads: slave.reads.length };
    } finally {
      master.close();
    }
  }) as Promise<Facts & { slaveReads: number }>;
}
