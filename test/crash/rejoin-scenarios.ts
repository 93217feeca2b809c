import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BlobSettings } from '../../src/blobs/settings.js';
import { runSync } from '../../src/round/run-sync.js';
import { Site } from '../support/site.js';
import { DATA } from './history.js';
import { SIZES } from './one-sync.js';
import { promoteIn } from './promotion-crashes.js';
import { RejoinBlobs } from './rejoin-blobs.js';
import { type Stage, write } from './scenario.js';

/** An old master, at the slave's path of a stage, and the side that serves, at its master's path. */
export interface RejoinScenario {
  readonly name: string;
  readonly full?: boolean;
  /** Left to the campaign and the mutation gate. */
  readonly rare?: boolean;
  prepare(stage: Stage): Promise<RejoinBlobs | undefined>;
}

/** Bytes of a transaction that was never finished: a header with the status c, and a part of its body. */
function inFlight(file: Buffer): Buffer {
  const tail = Buffer.alloc(300, 'x');
  // As FileStorage leaves it: a tid that rises, the length, the status c.
  tail.writeBigUInt64BE(0x7fffffffffffff00n, 0);
  tail.writeBigUInt64BE(BigInt(file.length), 8);
  tail.write('c', 16);
  tail.fill(0, 17, 23);
  tail.writeBigUInt64BE(1000n, 8);
  return tail;
}

/** With the fork between them: the blobs of both sides before a rejoin. */
async function handedOverWithBlobs(stage: Stage): Promise<RejoinBlobs> {
  const blobs = new RejoinBlobs(stage);
  const old = Site.create(stage.slaveFile, { clock: stage.clock });
  blobs.commit('common', old, 8n);
  await copied(stage, blobs.forth);
  // One object with a lost state of its blob, one that was created here.
  blobs.commit('lost', old, 8n);
  blobs.commit('lost', old, 9n);
  old.close();
  await promoteIn(stage.master);
  const serving = Site.open(stage.masterFile, { clock: stage.clock });
  blobs.commit('served', serving, 8n);
  serving.close();
  return blobs;
}

/** Both sides in step, and the other side promoted. */
async function handedOver(stage: Stage, lost: number): Promise<{ readonly old: Site; readonly serving: Site }> {
  const old = Site.create(stage.slaveFile, { clock: stage.clock });
  write(old, 3, 60);
  await copied(stage);
  write(old, 3, 300, 'copied');
  await copied(stage);
  if (lost > 0) write(old, lost, 200, 'lost');
  await promoteIn(stage.master);
  return { old, serving: Site.open(stage.masterFile, { clock: stage.clock }) };
}

async function copied(stage: Stage, blobs?: BlobSettings): Promise<void> {
  const sides = { master: stage.slave, slave: stage.master, statusFile: join(stage.slave, '..', 'status') };
  const { exitCode, reason } = await runSync({ ...sides, workers: 0, blobs, ...SIZES });
  if (exitCode !== 0) throw new Error(reason);
}

export const REJOINS: readonly RejoinScenario[] = [
  {
    name: 'with transactions of its own',
    async prepare(stage) {
      const { old, serving } = await handedOver(stage, 2);
      await stage.indexSlave();
      appendFileSync(stage.slaveFile, inFlight(readFileSync(join(stage.slave, DATA))));
      old.close();
      write(serving, 2, 250, 'served');
      serving.close();
      return undefined;
    },
  },
  {
    name: 'with nothing to copy',
    async prepare(stage) {
      const { old, serving } = await handedOver(stage, 1);
      old.close();
      serving.close();
      return undefined;
    },
  },
  {
    name: 'whose other side was packed',
    full: true,
    rare: true,
    async prepare(stage) {
      const { old, serving } = await handedOver(stage, 2);
      old.close();
      write(serving, 2, 250, 'served');
      serving.pack();
      serving.close();
      return undefined;
    },
  },
  { name: 'with blobs of its own', prepare: handedOverWithBlobs },
];
