import { copyFileSync, linkSync, renameSync, rmSync } from 'node:fs';
import type { Scenario } from '../scenario.js';
import { rebuildAfterPack } from './rebuild-after-pack.js';

/**
 * A rebuild was killed after its swap, before the swap was durable: the new file and its `.dat` are complete, the `.dat` under
 * its temporary name. The next run continues with it, and a power cut may still bring the old file back.
 */
export const killedBehindSwap: Scenario = {
  name: 'killed after the swap',
  packed: true,
  swappedUnsynced: true,
  async prepare(stage) {
    await rebuildAfterPack.prepare(stage);
    const { slaveFile, masterFile } = stage;
    linkSync(slaveFile, `${masterFile}.kept`);
    copyFileSync(`${slaveFile}.dat`, `${masterFile}.kept.dat`);
    const { exitCode, reason } = await stage.sync();
    if (exitCode !== 0) throw new Error(`the rebuild fails: ${reason}`);
    rmSync(`${slaveFile}.index`, { force: true });
    renameSync(slaveFile, `${slaveFile}.new`);
    renameSync(`${slaveFile}.dat`, `${slaveFile}.new.dat`);
    renameSync(`${masterFile}.kept`, slaveFile);
    renameSync(`${masterFile}.kept.dat`, `${slaveFile}.dat`);
  },
};
