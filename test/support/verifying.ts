import { writeFileSync } from 'node:fs';
import { runVerify } from '../../src/commands/verify.js';
import type { VerifyResult } from '../../src/commands/verify-result.js';
import { encodeIndex } from '../../src/filestorage/index-writer.js';
import { ObjectIndex } from '../../src/filestorage/object-index.js';
import { factsOfPath } from '../../src/io/facts.js';
import { ReadDeadline } from '../../src/pipeline/read-deadline.js';
import { type Dat, formatDat } from '../../src/standby/dat.js';
import { chunksOf } from './scene.js';
import { walkOver } from './walking.js';

const SECONDS = 20;

export interface HowToVerify {
  readonly against?: string;
  readonly workers?: number;
  readonly pieceBytes?: number;
  readonly pointers?: boolean;
}

/** Verifies a file as the command does. */
export function verify(path: string, how: HowToVerify = {}): Promise<VerifyResult> {
  return runVerify({ slave: path, file: 'Data.fs', deadline: new ReadDeadline(SECONDS), workers: 0, ...how });
}

/** The `.dat` of a slave with these bytes, in chunks of some 1,000 bytes. */
export async function datOf(inode: string, bytes: Uint8Array): Promise<Dat> {
  const { position, tid, chunks, tailState } = await chunksOf(bytes);
  const master = { device: '1', inode: '1', size: bytes.length, mtime: '1', magic: 'FS30' } as const;
  return { master, slaveInode: inode, claim: { position, tid }, tailState, torn: undefined, chunks };
}

/** Writes the `.dat` of an existing slave with these bytes. */
export async function writeDat(path: string, bytes: Uint8Array): Promise<void> {
  writeFileSync(`${path}.dat`, formatDat(await datOf(factsOfPath(path)!.inode, bytes)));
}

/** Writes the `Data.fs.index` of a file with these bytes. */
export function writeIndex(path: string, bytes: Uint8Array): void {
  const index = new ObjectIndex();
  const { end } = walkOver(bytes, { onRecord: (position, high, low) => index.set(high, low, position) });
  writeFileSync(`${path}.index`, Buffer.concat([...encodeIndex(index, end)]));
}
