import { statSync, truncateSync } from 'node:fs';
import { type Scenario, write } from '../scenario.js';

/** Bytes at the slave's end were cut off; its index covers them. */
export const cutShort: Scenario = {
  name: 'a truncated slave',
  claimBroken: true,
  async prepare(stage) {
    const site = stage.site();
    write(site, 3, 300);
    await stage.inStep();
    await stage.indexSlave();
    truncateSync(stage.slaveFile, statSync(stage.slaveFile).size - 500);
    write(site, 3, 200);
    write(site, 3, 500);
    site.close();
  },
};
