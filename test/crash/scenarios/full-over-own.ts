import fs from 'node:fs';
import { Site } from '../../support/site.js';
import { type Scenario, type Stage, write } from '../scenario.js';

async function serveSlave(stage: Stage): Promise<void> {
  const site = stage.site();
  await stage.inStep();
  const served = Site.open(stage.slaveFile, { clock: stage.clock });
  write(served, 2, 150, 'only here');
  served.close();
  await stage.indexSlave();
  write(site, 3, 250);
  write(site, 2, 700);
  site.close();
}

/** `--full` over a slave that has served and has transactions of its own: its file is kept. */
export const fullOverOwn: Scenario = {
  name: 'full over own transactions',
  slow: true,
  full: true,
  keepsOwn: true,
  prepare: serveSlave,
};

const { linkSync } = fs;

/** The same on a file system without hard links: the old file is moved, and the slave's path is empty for a moment. */
export const fullOverOwnWithoutLinks: Scenario = {
  name: 'full over own transactions, without hard links',
  full: true,
  keepsOwn: true,
  movesAside: true,
  large: true,
  async prepare(stage) {
    await serveSlave(stage);
    fs.linkSync = () => {
      throw Object.assign(new Error('EPERM: operation not permitted, link'), { code: 'EPERM' });
    };
  },
  afterwards() {
    fs.linkSync = linkSync;
  },
};
